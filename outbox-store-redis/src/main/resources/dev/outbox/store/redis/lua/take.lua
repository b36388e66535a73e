-- Takes a partition, if it has messages and is neither held nor delayed.
-- KEYS: messages, state, attempts, ready. ARGV: token, lease in ms, member.
-- Returns the fence and the attempts of messages that have failed; or 0 if it is empty, 1 if it is held, 2 if delayed.
-- Deleting nothing first is what lets a script write when memory is full, so that the outbox can be drained.
redis.call('XDEL', KEYS[1], '0-1')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if redis.call('XLEN', KEYS[1]) == 0 then
  -- Nothing to deliver, so nothing to wait for: what says otherwise is of messages that somebody deleted by hand.
  redis.call('ZREM', KEYS[4], ARGV[3])
  if redis.call('DEL', KEYS[3]) + redis.call('HDEL', KEYS[2], 'failing') > 0 then
    redis.call('HDEL', KEYS[2], 'message', 'reason', 'retry')
  end
  return 0
end
local state = redis.call('HMGET', KEYS[2], 'fence', 'until', 'retry', 'token')
-- Whoever asks with the token that holds it has asked before and missed the answer.
if state[2] and tonumber(state[2]) > now and state[4] ~= ARGV[1] then
  redis.call('ZADD', KEYS[4], state[2], ARGV[3])
  return 1
end
if state[3] and tonumber(state[3]) > now then
  redis.call('ZADD', KEYS[4], state[3], ARGV[3])
  return 2
end
-- It grows whatever happens to the clock, and also where an older state came back.
local fence = time[1] * 1000000 + time[2]
if state[1] and tonumber(state[1]) >= fence then
  fence = state[1] + 1
end
fence = string.format('%.0f', fence)
local till = string.format('%.0f', now + ARGV[2])
redis.call('HSET', KEYS[2], 'token', ARGV[1], 'fence', fence, 'until', till)
redis.call('ZADD', KEYS[4], till, ARGV[3])
return {fence, redis.call('HGETALL', KEYS[3])}
