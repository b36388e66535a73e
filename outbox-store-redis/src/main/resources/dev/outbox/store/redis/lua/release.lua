-- Frees what is held by a token, whatever the fence, with nothing settled; the rest is left alone. Sent again, it finds nothing.
-- KEYS: ready, then of each partition: messages, state. ARGV: token, then the members.
redis.call('ZREM', KEYS[1], '')
for i = 2, #ARGV do
  local messages, state = KEYS[2 * i - 2], KEYS[2 * i - 1]
  pcall(function() -- one whose keys others have spoilt stops no other
    if redis.call('HGET', state, 'token') == ARGV[1] then
      redis.call('HSET', state, 'token', '', 'until', 0, 'closed', ARGV[1])
      if redis.call('XLEN', messages) == 0 then
        redis.call('ZREM', KEYS[1], ARGV[i])
      else
        redis.call('ZADD', KEYS[1], 0, ARGV[i])
      end
    end
  end)
end
return 1
