-- What scripts begin with that settle a batch.
-- KEYS: ready, letters, then of each partition: messages, state, attempts, dead letters; then what the script itself is given.
-- ARGV: token, number of partitions, their fences, of each the last entry that has an outcome and the id of its message, or
--   nothing twice; then what the script itself is given.
local token = ARGV[1]
local partitions = tonumber(ARGV[2])
local given = 2 + 3 * partitions
local failing = {}

-- Whether a message was written by the outbox: what its first field is called says so.
local function isOurs(found)
  local label = found[2][1]
  return #label >= 17 and string.byte(label) == 1
end

-- The id of a message is in the name of its first field. What others wrote has its position for an id.
local function idOf(found)
  return isOurs(found) and string.sub(found[2][1], 2, 17) or found[1]
end

-- Nil if the batch holds all its partitions, and nothing but itself has touched what it has read; else what is to be
-- answered, with nothing done: 1 if an earlier call has settled it and its answer was lost; 0 if the hold is lost; 2 if one of
-- those last entries is missing, 3 if another message is in its place. Writes nothing.
local function objection()
  local lost = false
  local done = false
  for p = 1, partitions do
    local state = redis.call('HMGET', KEYS[4 * p], 'token', 'fence', 'failing', 'closed')
    if state[4] == token then
      done = true
    elseif state[1] ~= token or state[2] ~= ARGV[2 + p] then
      lost = true
    end
    failing[p] = state[3]
  end
  -- A script is never half done for others to see, so one partition that was closed tells of all.
  if done then
    return 1
  end
  if lost then
    return 0
  end
  -- A server that has lost the end of its log in a failover may still know the hold, and have given positions out again. What
  -- is lost is the end, so where the last message is still the one that was read, all before it are.
  local missing = false
  for p = 1, partitions do
    local last = ARGV[1 + partitions + 2 * p]
    if last ~= '' then
      local found = redis.call('XRANGE', KEYS[4 * p - 1], last, last)[1]
      if not found then
        missing = true
      elseif idOf(found) ~= ARGV[2 + partitions + 2 * p] then
        return 3
      end
    end
  end
  if missing then
    return 2
  end
end

-- A partition that the batch holds can be taken from then on, a time in ms or 0.
local function release(p, member, from)
  redis.call('HSET', KEYS[4 * p], 'token', '', 'until', 0, 'closed', token)
  if redis.call('XLEN', KEYS[4 * p - 1]) == 0 then
    redis.call('ZREM', KEYS[1], member)
  else
    -- What waits has a score that is not taken for the end of a lease.
    redis.call('ZADD', KEYS[1], from > 0 and string.format('%.0f', 1e15 + from) or 0, member)
  end
end

