package dev.outbox.store.redis;

import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Protocol;

/**
 * A command as it is sent.
 *
 * @param script what it runs, if it names it by its SHA-1
 */
@SuppressWarnings("ArrayRecordComponent") // never compared
record Command(
        Protocol.Command name, byte[][] arguments, @Nullable Script script) {
    static Command of(Protocol.Command name, byte[]... arguments) {
        return new Command(name, arguments, null);
    }
}
