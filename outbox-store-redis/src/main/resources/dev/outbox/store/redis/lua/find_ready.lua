-- The partitions of some topics that are ready: neither held nor delayed.
-- KEYS: ready, knocks. ARGV: the most wanted, where to begin as a fraction, a lease in ms, 1 to knock
-- where it is due, then the topics.
-- Returns how many partitions of these topics seem to be held; where to begin next; 1 if there are no others, else 0; then those that
-- are ready. Scores are 0 or the end of a lease, or, from 1e15 on, the end of a delay, so that what waits is not taken for what is held.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local most = tonumber(ARGV[1])
local wanted = {}
for i = 5, #ARGV do
  wanted[ARGV[i]] = true
end
local function isWanted(member)
  return wanted[string.match(member, '^(.*)#')]
end
local function text(number)
  return string.format('%.0f', number)
end

-- Leases end within the length of one; a few of them tell whether there is company.
local held = 0
local heldTopics = {}
for _, member in ipairs(redis.call('ZRANGE', KEYS[1], '(' .. text(now), text(now + ARGV[3] + 1), 'BYSCORE', 'LIMIT', 0, 200)) do
  if isWanted(member) then
    held = held + 1
    heldTopics[string.match(member, '^(.*)#')] = true
  end
end
-- Those that are ready are in two runs of ranks: those of scores until now, and those whose delay has passed.
local free = redis.call('ZCOUNT', KEYS[1], '-inf', text(now))
local waited = redis.call('ZCOUNT', KEYS[1], text(1e15), text(1e15 + now))
local before = waited > 0 and redis.call('ZCOUNT', KEYS[1], '-inf', '(' .. text(1e15)) or free
local ready = free + waited
local result = {held, '0', 1}
-- Where there are more than wanted, every call goes on where the last one ended, so that none is overlooked for ever.
local begin = ready > most and math.floor(ARGV[2] * ready) or 0
local seen = 0
while seen < ready and #result < most + 3 do
  local offset = (begin + seen) % ready
  local count = math.min(1000, ready - offset, ready - seen)
  if offset < free then
    count = math.min(count, free - offset)
  end
  local rank = offset < free and offset or before + offset - free
  -- A rank is found without walking there.
  for _, member in ipairs(redis.call('ZRANGE', KEYS[1], rank, rank + count - 1)) do
    if #result < most + 3 then
      seen = seen + 1
      if isWanted(member) then
        result[#result + 1] = member
      end
    end
  end
end
if seen < ready then
  result[2] = string.format('%.9f', (begin + seen) % ready / ready)
  result[3] = 0
end
if #result == 3 and held > 0 and ARGV[4] == '1' then
  -- Who finds nothing because others hold everything knocks: see close_and_keep.lua. Not more often than it is listened to.
  for topic in pairs(heldTopics) do
    local knock = tonumber(redis.call('HGET', KEYS[2], topic) or '0')
    if not knock or math.abs(now - knock) > ARGV[3] / 2 then
      redis.call('ZREM', KEYS[1], '')
      redis.call('HSET', KEYS[2], topic, text(now))
    end
  end
end
return result
