package dev.outbox.store.redis;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.exceptions.JedisDataException;

/** What servers answer, as it came off the wire: numbers, bytes, lists, null, and errors. */
final class Reply {
    private Reply() {}

    /** Throws it if it is an error. */
    static void check(@Nullable Object reply) {
        if (reply instanceof JedisDataException error) {
            throw error;
        }
    }

    @SuppressWarnings("unchecked")
    static List<Object> list(@Nullable Object reply) {
        check(reply);
        return reply == null ? List.of() : (List<Object>) reply;
    }

    static byte[] bytes(@Nullable Object reply) {
        check(reply);
        return reply instanceof byte[] bytes ? bytes : new byte[0];
    }

    static String text(@Nullable Object reply) {
        check(reply);
        return reply instanceof byte[] bytes ? new String(bytes, StandardCharsets.UTF_8) : String.valueOf(reply);
    }

    static long number(@Nullable Object reply) {
        check(reply);
        return reply instanceof Long number ? number : Long.parseLong(text(reply));
    }

    /** A number, or another one if other programs have written what is none. */
    static long numberOr(long otherwise, Object reply) {
        try {
            return number(reply);
        } catch (NumberFormatException e) {
            return otherwise;
        }
    }
}
