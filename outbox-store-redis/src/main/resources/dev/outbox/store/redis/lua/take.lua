-- Takes partitions that have messages and are neither held nor delayed, in the order given, until there are enough.
-- KEYS: ready, then of each partition: messages, state, attempts. ARGV: token, lease in ms, how many are enough, then the members.
-- Returns of each its fence, the number of its messages, and the attempts of those that have failed; or 0 if it is empty, 1 if it
-- is held, 2 if delayed, 3 if it was not asked because there were enough; or, as a text, what is wrong with its keys.
-- Deleting nothing first is what lets a script write when memory is full, so that the outbox can be drained.
redis.call('ZREM', KEYS[1], '')
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
-- The clock is cut off to milliseconds, and a lease is never shorter than it says.
local till = string.format('%.0f', now + ARGV[2] + 1)
local enough = tonumber(ARGV[3])
local taken = 0

local function take(messages, state, attempts, member)
  local found = redis.call('HMGET', state, 'fence', 'until', 'retry', 'token', 'closed', 'failing')
  local held = found[2] and tonumber(found[2]) > now
  if held and found[4] == ARGV[1] then
    -- Whoever asks with the token that holds it has asked before. Perhaps its answer was lost, perhaps this call comes late and
    -- again: nothing changes. It counts even if there were enough already, or nobody would know that it is held.
    return {found[1], redis.call('XLEN', messages), redis.call('HGETALL', attempts)}
  end
  if taken >= enough then
    return 3
  end
  if found[5] == ARGV[1] then
    return 1 -- a call that comes after the end of what it asks for
  end
  local length = redis.call('XLEN', messages)
  if length == 0 then
    -- Nothing to deliver, so nothing to wait for: what says otherwise is of messages that somebody deleted by hand.
    redis.call('ZREM', KEYS[1], member)
    if redis.call('DEL', attempts) + redis.call('HDEL', state, 'failing') > 0 then
      redis.call('HDEL', state, 'message', 'reason', 'retry')
    end
    return 0
  end
  if held then
    redis.call('ZADD', KEYS[1], found[2], member)
    return 1
  end
  if found[3] and tonumber(found[3]) > now then
    redis.call('ZADD', KEYS[1], string.format('%.0f', 1e15 + found[3]), member)
    return 2
  end
  -- It grows whatever happens to the clock, and also where an older state came back.
  local fence = time[1] * 1000000 + time[2]
  if found[1] and tonumber(found[1]) >= fence then
    fence = found[1] + 1
  end
  fence = string.format('%.0f', fence)
  local failures = redis.call('HGETALL', attempts)
  for i = 2, #failures, 2 do
    if not string.match(failures[i], '^%d+$') or #failures[i] > 9 then
      error('what is in its attempts are to be numbers, and one of them is ' .. failures[i])
    end
  end
  if found[6] and not string.match(found[6], '^%d+%-%d+$') then
    error('failing in its state is to be the id of an entry, and is ' .. found[6])
  end
  redis.call('HSET', state, 'token', ARGV[1], 'fence', fence, 'until', till)
  redis.call('ZADD', KEYS[1], till, member)
  return {fence, length, failures}
end

local result = {}
for i = 4, #ARGV do
  local k = 3 * (i - 4) + 2
  -- One whose keys others have spoilt stops no other.
  local good, answer = pcall(take, KEYS[k], KEYS[k + 1], KEYS[k + 2], ARGV[i])
  if not good then
    answer = type(answer) == 'table' and answer.err or tostring(answer)
  elseif type(answer) == 'table' then
    taken = taken + 1
  end
  result[#result + 1] = answer
end
return result
