-- Writes a message as a transaction of the application does, for a rehearsal, also when memory is full.
-- KEYS: ready, messages. ARGV: member, label, payload. Returns its position.
redis.call('ZREM', KEYS[1], '')
redis.call('ZADD', KEYS[1], 'NX', 0, ARGV[1])
return redis.call('XADD', KEYS[2], '*', ARGV[2], ARGV[3])
