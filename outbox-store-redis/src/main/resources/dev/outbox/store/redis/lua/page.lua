-- Messages of some partitions, in the order given, from a place on. Writes nothing. KEYS: messages and attempts of each partition.
-- ARGV: how many bytes and how many messages are enough, then of each partition: where its messages begin, and how many are wanted.
-- Returns of each partition a list of its entries, one of how often each of these has failed, and 1 if it has less than was wanted
-- because there was enough, else 0. The message with which there are enough bytes is the last one. Messages are read one by one, so that no more than these are in the memory of the server.
-- A key that others have spoilt has no entries. Any other error is one of the call.
local left = tonumber(ARGV[1])
local room = tonumber(ARGV[2])

local function reading(command, ...)
  local reply = redis.pcall(command, ...)
  if type(reply) == 'table' and reply.err then
    if string.find(reply.err, 'WRONGTYPE', 1, true) then
      return nil
    end
    return redis.call(command, ...) -- fails as it did, in the words of the server
  end
  return reply
end

local function weight(entry)
  local bytes = #entry[1]
  for i = 1, #entry[2] do
    bytes = bytes + #entry[2][i]
  end
  return bytes
end

local result = {}
for i = 1, #KEYS / 2 do
  local from, wanted = ARGV[2 * i + 1], tonumber(ARGV[2 * i + 2])
  local entries, failures = {}, {}
  while left > 0 and room > 0 and #entries < wanted do
    local entry = (reading('XRANGE', KEYS[2 * i - 1], from, '+', 'COUNT', 1) or {})[1]
    if not entry then
      break
    end
    entries[#entries + 1] = entry
    failures[#failures + 1] = reading('HGET', KEYS[2 * i], entry[1]) or '0'
    left = left - weight(entry)
    room = room - 1
    from = '(' .. entry[1]
  end
  result[i] = {entries, failures, (left <= 0 or room == 0) and #entries < wanted and 1 or 0}
end
return result
