-- What waits in some partitions. Writes nothing. KEYS: their messages.
-- Returns the time, then of each partition the number of messages and when the oldest was persisted, in ms.
local time = redis.call('TIME')
local result = {string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))}
for i = 1, #KEYS do
  local created = '0'
  local head = redis.call('XRANGE', KEYS[i], '-', '+', 'COUNT', 1)[1]
  if head then
    created = string.match(head[1], '^%d+')
    for f = 3, #head[2], 2 do
      if head[2][f] == 'c' then
        created = head[2][f + 1]
      end
    end
  end
  result[#result + 1] = {redis.call('XLEN', KEYS[i]), created}
end
return result
