-- Redrives or discards dead letters, all or none.
-- KEYS: ready, letters, then of each letter: messages, dead letters. ARGV: 'redrive' or 'discard', then of each letter:
-- its id and where it was last seen, which is its member and its entry.
-- Returns how many there were; or -1, with nothing done, if one has moved meanwhile: to be looked up again.
redis.call('ZREM', KEYS[1], '')
local there = {}
local count = #KEYS / 2 - 1
for i = 1, count do
  local place = redis.call('HGET', KEYS[2], ARGV[2 * i])
  if place and place ~= ARGV[2 * i + 1] then
    return -1
  end
  there[i] = place
end
local done = 0
-- What others wrote among the dead letters would stop the partition that it went to. A redrive passes it over.
local function isOurs(letter)
  return #letter[2][1] >= 17 and string.byte(letter[2][1]) == 1
end
for i = 1, count do
  if there[i] then
    local messages, dead, id = KEYS[2 * i + 1], KEYS[2 * i + 2], ARGV[2 * i]
    local member, entry = string.match(there[i], '^(.*) (.*)$')
    local letter = redis.call('XRANGE', dead, entry, entry)[1]
    local redrives = ARGV[1] == 'redrive' and letter
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
      if letter then
        done = done + 1
      end
    end
  end
end
return done
