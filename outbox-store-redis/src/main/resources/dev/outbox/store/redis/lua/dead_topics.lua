-- What was given up of some topics. Writes nothing. KEYS: their dead letters.
-- Returns of each how many there are, and the entries of the first and the last, or nothing twice.
local function entry(found)
  return found[1] and found[1][1] or ''
end
local result = {}
for i = 1, #KEYS do
  result[#result + 1] = {redis.call('XLEN', KEYS[i]),
    entry(redis.call('XRANGE', KEYS[i], '-', '+', 'COUNT', 1)),
    entry(redis.call('XREVRANGE', KEYS[i], '+', '-', 'COUNT', 1))}
end
return result
