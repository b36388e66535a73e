-- Which of some partitions have a failing head. Writes nothing. KEYS: state and attempts of each.
-- Returns of each what its state says, and how often the message has failed.
local result = {}
for i = 1, #KEYS, 2 do
  local state = redis.call('HMGET', KEYS[i], 'failing', 'message', 'reason', 'retry')
  if state[1] then
    result[#result + 1] = {
      state[2] or '', state[3] or '', state[4] or '0', redis.call('HGET', KEYS[i + 1], state[1]) or '1'
    }
  else
    result[#result + 1] = {}
  end
end
return result
