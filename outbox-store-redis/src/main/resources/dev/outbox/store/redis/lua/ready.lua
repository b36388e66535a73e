-- The partitions of some topics that are ready: neither held nor delayed. Writes nothing.
-- KEYS: ready. ARGV: the most wanted, where to begin as a fraction, a lease in ms, then the topics.
-- Returns how many partitions seem to be held, then those that are ready.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local most = tonumber(ARGV[1])
local wanted = {}
for i = 4, #ARGV do
  wanted[ARGV[i]] = true
end
local held = redis.call('ZCOUNT', KEYS[1], '(' .. string.format('%.0f', now), string.format('%.0f', now + ARGV[3]))
local ready = redis.call('ZCOUNT', KEYS[1], '-inf', string.format('%.0f', now))
local result = {held}
-- Where there are more than wanted, every call begins elsewhere, so that none is overlooked for ever.
local begin = ready > most and math.floor(ARGV[2] * ready) or 0
local seen = 0
while seen < ready and #result <= most do
  local offset = (begin + seen) % ready
  local count = math.min(1000, ready - offset, ready - seen)
  -- Those that are ready have the lowest ranks, and a rank is found without walking there.
  local members = redis.call('ZRANGE', KEYS[1], offset, offset + count - 1)
  for _, member in ipairs(members) do
    if #result <= most and wanted[string.match(member, '^(.*)#')] then
      result[#result + 1] = member
    end
  end
  seen = seen + count
end
return result
