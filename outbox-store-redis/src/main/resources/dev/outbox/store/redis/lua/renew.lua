-- Lets the lease of a batch begin anew, if it holds all its partitions still; one that has run out and that nobody has
-- taken over counts as held.
-- KEYS: ready, then the states. ARGV: token, lease in ms, then fence and member of each.
-- Returns 1 if they are held, else 0.
redis.call('ZREM', KEYS[1], '')
for i = 2, #KEYS do
  local state = redis.call('HMGET', KEYS[i], 'token', 'fence')
  if state[1] ~= ARGV[1] or state[2] ~= ARGV[2 * i - 1] then
    return 0
  end
end
local time = redis.call('TIME')
-- The clock is cut off to milliseconds, and a lease is never shorter than it says.
local till = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[2] + 1)
for i = 2, #KEYS do
  redis.call('HSET', KEYS[i], 'until', till)
  redis.call('ZADD', KEYS[1], 'XX', till, ARGV[2 * i])
end
return 1
