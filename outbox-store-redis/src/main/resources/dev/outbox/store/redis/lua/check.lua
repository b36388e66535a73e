-- Whether this user may do here what the outbox does, tried on two keys that are gone afterwards.
-- KEYS: a stream, a hash, a sorted set. Returns the first command that was refused and why, or nothing.
local commands = {
  -- First what cleans up, so that nothing is left where it is refused.
  {'DEL', KEYS[1], KEYS[2], KEYS[3]},
  {'XDEL', KEYS[1], '0-1'}, {'TIME'}, {'XADD', KEYS[1], '*', 'a', 'b'}, {'XLEN', KEYS[1]},
  {'XRANGE', KEYS[1], '-', '+', 'COUNT', 1}, {'XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1},
  {'XTRIM', KEYS[1], 'MINID', '0-1'},
  {'HSET', KEYS[2], 'a', 1}, {'HINCRBY', KEYS[2], 'a', 1}, {'HGET', KEYS[2], 'a'}, {'HMGET', KEYS[2], 'a', 'b'},
  {'HGETALL', KEYS[2]}, {'HKEYS', KEYS[2]}, {'HEXISTS', KEYS[2], 'a'}, {'HDEL', KEYS[2], 'b'},
  {'ZADD', KEYS[3], 0, 'a'}, {'ZCOUNT', KEYS[3], '-inf', '+inf'},
  {'ZRANGE', KEYS[3], 0, 0}, {'ZREM', KEYS[3], 'a'},
  {'DEL', KEYS[1], KEYS[2], KEYS[3]}
}
local refused = {}
for _, command in ipairs(commands) do
  local result = redis.pcall(unpack(command))
  if type(result) == 'table' and result.err then
    refused = {command[1], result.err}
    redis.pcall('DEL', KEYS[1], KEYS[2], KEYS[3])
    break
  end
end
return refused
