-- Ends the delay of failing partitions. KEYS: ready, then the state of each. ARGV: their members.
-- Returns how many were failing.
redis.call('ZREM', KEYS[1], '')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local failing = 0
for i = 1, #ARGV do
  local state = redis.call('HMGET', KEYS[i + 1], 'failing', 'until')
  if state[1] then
    failing = failing + 1
    redis.call('HSET', KEYS[i + 1], 'retry', string.format('%.0f', now))
    -- A batch that holds it is trying it right now: nothing to wait for.
    if not state[2] or tonumber(state[2]) <= now then
      redis.call('ZADD', KEYS[1], 'XX', 0, ARGV[i])
    end
  end
end
return failing
