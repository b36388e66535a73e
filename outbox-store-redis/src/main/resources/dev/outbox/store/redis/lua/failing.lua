-- Which of some partitions have a failing head. Writes nothing. KEYS: messages, state and attempts of each.
-- Returns of each two lists: what its state says and how often the message has failed, or nothing; and the first message without
-- its payload if it has more than an id, for whoever asks to look at, or nothing. Or, as a text, why its keys cannot be used.
local function look(messages, state, attempts)
  redis.call('XLEN', messages)
  local found = redis.call('HMGET', state, 'failing', 'message', 'reason', 'retry', 'fence', 'until')
  for i = 4, 6 do
    if found[i] and not tonumber(found[i]) then
      error('retry, fence and until in its state are to be numbers, and one of them is ' .. found[i])
    end
  end
  local all = redis.call('HGETALL', attempts)
  for i = 2, #all, 2 do
    if not string.match(all[i], '^%d+$') or #all[i] > 9 then
      error('what is in its attempts are to be numbers, and one of them is ' .. all[i])
    end
  end
  if found[1] and not string.match(found[1], '^%d+%-%d+$') then
    error('failing in its state is to be the id of an entry, and is ' .. found[1])
  end
  local failures = redis.call('HGET', attempts, found[1] or '')
  local odd = {}
  local head = redis.call('XRANGE', messages, '-', '+', 'COUNT', 1)[1]
  if head then
    local fields = head[2]
    if #fields ~= 2 or #fields[1] ~= 17 or string.byte(fields[1]) ~= 1 then
      odd = {head[1], fields[1]}
      for i = 3, #fields do
        odd[i] = fields[i]
      end
    end
  end
  return {found[1] and {found[2] or '', found[3] or '', found[4] or '0', failures or '1'} or {}, odd}
end
local result = {}
for i = 1, #KEYS, 3 do
  -- One whose keys others have spoilt hides no other.
  local good, answer = pcall(look, KEYS[i], KEYS[i + 1], KEYS[i + 2])
  if not good then
    answer = type(answer) == 'table' and answer.err or tostring(answer)
  end
  result[#result + 1] = answer
end
return result
