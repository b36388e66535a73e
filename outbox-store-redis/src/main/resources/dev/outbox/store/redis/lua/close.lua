-- Applies the outcomes of a batch and releases its partitions, or does nothing if one of them is no longer held.
-- KEYS: ready, letters, then of each partition: messages, state, attempts, dead letters.
-- ARGV: token, number of partitions, their fences, of each the last entry that has an outcome and the id of its message, or
--   nothing twice; then of each partition: member;
--   up to where to trim, or nothing; number and entries to delete;
--   number and entries whose attempts are forgotten;
--   number and entries that failed, and if there are any: id of the first, its reason, delay in ms;
--   number of dead letters, and of each: entry, attempts, reason.
-- Returns 1 if it is done, now or by an earlier call whose answer was lost; 0 if the hold is lost; 2 if one of those last
-- entries is missing, 3 if another message is in its place.
redis.call('ZREM', KEYS[1], '')
local token = ARGV[1]
local partitions = tonumber(ARGV[2])
local failing = {}
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

-- The id of a message is in the name of its first field. What others wrote has its first position for an id, which is
-- kept in a field when it moves.
local function idOf(found)
  local fields = found[2]
  if #fields[1] >= 17 and string.byte(fields[1]) == 1 then
    return string.sub(fields[1], 2, 17)
  end
  for i = 3, #fields, 2 do
    if fields[i] == 'i' then
      return fields[i + 1]
    end
  end
  return found[1]
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

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local at = 2 + 3 * partitions
local function argument()
  at = at + 1
  return ARGV[at]
end

local function bury(messages, dead, member)
  local entry = argument()
  local attempts = argument()
  local reason = argument()
  local found = redis.call('XRANGE', messages, entry, entry)[1]
  if not found then
    return -- deleted by hand
  end
  local fields = found[2]
  local letter = {'XADD', dead, '*', fields[1], fields[2]}
  local created = string.match(entry, '^%d+')
  for i = 3, #fields, 2 do
    if fields[i] == 'c' then
      created = fields[i + 1]
    end
  end
  local id = idOf(found)
  if #id ~= 16 then
    letter[6], letter[7] = 'i', id
  end
  for _, field in ipairs({'c', created, 'q', string.match(member, '%d+$'), 'a', attempts, 'r', reason}) do
    letter[#letter + 1] = field
  end
  local place = redis.call(unpack(letter))
  redis.call('HSET', KEYS[2], id, member .. ' ' .. place)
end

-- As many at a time as the stack of a script can take for certain.
local function inChunks(count, command, key)
  while count > 0 do
    local chunk = math.min(count, 500)
    local call = {command, key}
    for _ = 1, chunk do
      call[#call + 1] = argument()
    end
    redis.call(unpack(call))
    count = count - chunk
  end
end

for p = 1, partitions do
  local messages, state, attempts, dead = KEYS[4 * p - 1], KEYS[4 * p], KEYS[4 * p + 1], KEYS[4 * p + 2]
  local member = argument()
  local trim = argument()
  local deleted = tonumber(argument())
  local deletedAt = at
  at = at + deleted
  inChunks(tonumber(argument()), 'HDEL', attempts)
  local failed = tonumber(argument())
  local retry = 0
  if failed > 0 then
    local first = ARGV[at + 1]
    for _ = 1, failed do
      redis.call('HINCRBY', attempts, argument(), 1)
    end
    local id = argument()
    local reason = argument()
    local delay = tonumber(argument())
    -- The clock is cut off to milliseconds, and a delay is never shorter than it says.
    retry = delay > 0 and now + delay + 1 or 0
    redis.call('HSET', state, 'failing', first, 'message', id, 'reason', reason,
      'retry', string.format('%.0f', delay > 0 and retry or now))
  end
  for _ = 1, tonumber(argument()) do
    bury(messages, dead, member)
  end
  if trim ~= '' then
    redis.call('XTRIM', messages, 'MINID', trim)
  end
  local next = at
  at = deletedAt
  inChunks(deleted, 'XDEL', messages)
  at = next

  if failed == 0 and failing[p] and #redis.call('XRANGE', messages, failing[p], failing[p]) == 0 then
    -- The message that failed is done with. If the new head had failed together with it, that is the one that fails now.
    local head = redis.call('XRANGE', messages, '-', '+', 'COUNT', 1)[1]
    if head and redis.call('HEXISTS', attempts, head[1]) == 1 then
      redis.call('HSET', state, 'failing', head[1], 'message', idOf(head))
    else
      redis.call('HDEL', state, 'failing', 'message', 'reason', 'retry')
    end
  end
  redis.call('HSET', state, 'token', '', 'until', 0, 'closed', token)
  if redis.call('XLEN', messages) == 0 then
    redis.call('ZREM', KEYS[1], member)
  else
    redis.call('ZADD', KEYS[1], string.format('%.0f', retry), member)
  end
end
return 1
