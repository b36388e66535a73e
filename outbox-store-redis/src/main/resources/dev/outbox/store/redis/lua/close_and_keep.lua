-- Settles a batch of which every message was published, and keeps its partitions for the batch that follows, with the same
-- token: that saves releasing them and taking them again. Where one of them is empty now, all are released.
-- It leaves no mark when it keeps them. If it is called once more because its answer was lost, what was read is missing, which
-- is looked into as if it had been deleted by hand: then nothing of it is left to be settled.
-- Leases are left as they are. KEYS as in check_hold.lua, then knocks; ARGV as in check_hold.lua, then of each partition: member, up to where to
-- trim; last, a lease in ms.
-- Returns 5 if the partitions are kept, 1 if they are released, now or by an earlier call; or what there is to object, or 4 where
-- more is to be done than this script does, or 6 where others have found all of a topic held lately: with nothing done.
local answer = objection()
if answer then
  return answer
end
for p = 1, partitions do
  if failing[p] then
    return 4
  end
end
if partitions > 1 then -- one could not be shared anyway
  local time = redis.call('TIME')
  local now = time[1] * 1000 + time[2] / 1000
  local asked = {}
  for p = 1, partitions do
    local topic = string.match(ARGV[given + 2 * p - 1], '^(.*)#')
    if not asked[topic] then
      asked[topic] = true
      local knock = tonumber(redis.call('HGET', KEYS[#KEYS], topic) or '0')
      if knock and math.abs(now - knock) < tonumber(ARGV[#ARGV]) then
        return 6
      end
    end
  end
end
local empty = false
for p = 1, partitions do
  -- The first to write, because a script that has deleted something may write although memory is full.
  redis.call('XTRIM', KEYS[4 * p - 1], 'MINID', ARGV[given + 2 * p])
  empty = redis.call('XLEN', KEYS[4 * p - 1]) == 0 or empty
end
if empty then
  for p = 1, partitions do
    release(p, ARGV[given + 2 * p - 1], 0)
  end
  return 1
end
return 5
