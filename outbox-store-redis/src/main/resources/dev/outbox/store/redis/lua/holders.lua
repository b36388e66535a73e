-- Which of some partitions are held. Writes nothing. KEYS: the state of each.
-- Returns of each its token, its fence and the end of its lease; or 0 if it is not held, or its state cannot be used.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local function look(state)
  local found = redis.call('HMGET', state, 'token', 'fence', 'until')
  return found[1] and found[2] and tonumber(found[3]) > now and found or 0
end
local result = {}
for i = 1, #KEYS do
  local good, answer = pcall(look, KEYS[i]) -- one whose keys others have spoilt hides no other
  result[#result + 1] = good and answer or 0
end
return result
