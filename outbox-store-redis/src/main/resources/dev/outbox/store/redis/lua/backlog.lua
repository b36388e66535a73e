-- What waits in some partitions. Writes nothing. KEYS: their messages.
-- Returns the time, then of each partition the number of messages and when the oldest was persisted, in
-- ms; or 0 if its messages cannot be used.
local time = redis.call('TIME')
local function look(messages)
  local created = '0'
  local head = redis.call('XRANGE', messages, '-', '+', 'COUNT', 1)[1]
  if head then
    created = string.match(head[1], '^%d+')
    for f = 3, #head[2], 2 do
      if head[2][f] == 'c' and #head[2][f + 1] <= 15 and string.match(head[2][f + 1], '^%d+$') then
        created = head[2][f + 1]
      end
    end
  end
  return {redis.call('XLEN', messages), created}
end
local result = {string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))}
for i = 1, #KEYS do
  local good, answer = pcall(look, KEYS[i]) -- one whose keys others have spoilt hides no other
  result[#result + 1] = good and answer or 0
end
return result
