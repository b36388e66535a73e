-- Applies the outcomes of a batch and releases its partitions, or does nothing if one of them is no longer held.
-- KEYS as in check_hold.lua, then the messages of partitions that something moves to, then died; ARGV as in check_hold.lua; then of each partition: member;
--   up to where to trim, or nothing; number and entries to delete;
--   number and entries whose attempts are forgotten;
--   number and entries that failed, and if there are any: id of the first, its reason, delay in ms;
--   number of dead letters, and of each: entry, attempts, reason;
--   number of messages that move, and of each: entry, the number of its key among KEYS, and the member.
-- Returns 1 if it is done, now or by an earlier call; else what there is to object.
redis.call('ZREM', KEYS[1], '')
local answer = objection()
if answer then
  return answer
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local at = given
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
  for _, field in ipairs({'c', created, 'q', string.match(member, '%d+$'), 'a', attempts, 'r', reason}) do
    letter[#letter + 1] = field
  end
  local place = redis.call(unpack(letter))
  -- An id leads to one letter; what died by the same id before, in the same topic, gives way.
  local before = redis.call('HGET', KEYS[2], id)
  local other, entryBefore = string.match(before or '', '^(.*) (.*)$')
  if other and string.match(other, '^(.*)#') == string.match(member, '^(.*)#') then
    redis.call('XDEL', dead, entryBefore)
  end
  redis.call('HSET', KEYS[2], id, member .. ' ' .. place)
  redis.call('HSET', KEYS[#KEYS], string.match(member, '^(.*)#'), '')
end

local function move(messages)
  local entry = argument()
  local target = KEYS[tonumber(argument())]
  local member = argument()
  local found = redis.call('XRANGE', messages, entry, entry)[1]
  if not found then
    return -- deleted by hand
  end
  local fields = found[2]
  local created = string.match(entry, '^%d+')
  for i = 3, #fields, 2 do
    if fields[i] == 'c' then
      created = fields[i + 1]
    end
  end
  redis.call('XADD', target, '*', fields[1], fields[2], 'c', created)
  redis.call('ZADD', KEYS[1], 'NX', 0, member)
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

-- What somebody has spoilt is to fail before anything is written: a script is not undone.
for k = 4 * partitions + 3, #KEYS - 1 do
  redis.call('XLEN', KEYS[k])
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
  for _ = 1, tonumber(argument()) do
    move(messages)
  end
  if trim ~= '' then
    redis.call('XTRIM', messages, 'MINID', trim)
  end
  local next = at
  at = deletedAt
  inChunks(deleted, 'XDEL', messages)
  at = next

  if failing[p] and #redis.call('XRANGE', messages, failing[p], failing[p]) == 0 then
    redis.call('HDEL', attempts, failing[p]) -- which are there if it was deleted by hand
    if failed == 0 then
      -- The message that failed is done with. If the new head had failed together with it, that is the one that fails now.
      local head = redis.call('XRANGE', messages, '-', '+', 'COUNT', 1)[1]
      if head and redis.call('HEXISTS', attempts, head[1]) == 1 then
        redis.call('HSET', state, 'failing', head[1], 'message', idOf(head))
      else
        redis.call('HDEL', state, 'failing', 'message', 'reason', 'retry')
      end
    end
  end
  release(p, member, retry)
end
return 1
