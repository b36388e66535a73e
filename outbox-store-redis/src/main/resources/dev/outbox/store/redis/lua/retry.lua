-- Ends the delay of a failing partition. KEYS: ready, state. ARGV: member.
-- Returns 1 if it was failing, else 0.
redis.call('ZREM', KEYS[1], '')
local state = redis.call('HMGET', KEYS[2], 'failing', 'until')
if not state[1] then
  return 0
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('HSET', KEYS[2], 'retry', string.format('%.0f', now))
-- A batch that holds it is trying it right now: nothing to wait for.
if not state[2] or tonumber(state[2]) <= now then
  redis.call('ZADD', KEYS[1], 'XX', 0, ARGV[1])
end
return 1
