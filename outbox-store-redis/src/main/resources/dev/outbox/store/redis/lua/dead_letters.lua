-- Redrives or discards dead letters, in the order given: all of them, or the first if these are many bytes already.
-- KEYS: ready, letters, died, then of each letter: messages, dead letters. ARGV: 'redrive' or 'discard', how many bytes are many,
-- then of each letter: its id and where it was last seen, which is its member and its entry.
-- Returns how many there were, and how many of those given are done with; the first is -1, with nothing done, if one has moved
-- meanwhile: to be looked up again.
redis.call('ZREM', KEYS[1], '')
local there = {}
local count = (#KEYS - 3) / 2
for i = 1, count do
  local place = redis.call('HGET', KEYS[2], ARGV[2 * i + 1])
  if place and place ~= ARGV[2 * i + 2] then
    return {-1, 0}
  end
  there[i] = place
end
local done = 0
local most = tonumber(ARGV[2])
local bytes = 0
-- What others wrote among the dead letters would stop the partition that it went to. A redrive passes it over.
local function isOurs(letter)
  return #letter[2][1] >= 17 and string.byte(letter[2][1]) == 1
end
for i = 1, count do
  if bytes > most then
    return {done, i - 1}
  end
  if there[i] then
    local messages, dead, id = KEYS[2 * i + 2], KEYS[2 * i + 3], ARGV[2 * i + 1]
    local member, entry = string.match(there[i], '^(.*) (.*)$')
    local letter = redis.call('XRANGE', dead, entry, entry)[1]
    local redrives = ARGV[1] == 'redrive' and letter
    bytes = bytes + (letter and #letter[2][2] or 0)
    if redrives and isOurs(letter) then
      local message = {'XADD', messages, '*'}
      for f = 1, #letter[2], 2 do
        local name = letter[2][f]
        if f == 1 or name == 'c' then
          message[#message + 1] = name
          message[#message + 1] = letter[2][f + 1]
        end
      end
      redis.call(unpack(message))
      redis.call('ZADD', KEYS[1], 'NX', 0, member)
    end
    if not redrives or isOurs(letter) then
      redis.call('XDEL', dead, entry)
      redis.call('HDEL', KEYS[2], id)
      if redis.call('XLEN', dead) == 0 then
        redis.call('HDEL', KEYS[3], string.match(member, '^(.*)#'))
      end
      if letter then
        done = done + 1
      end
    end
  end
end
return {done, count}
