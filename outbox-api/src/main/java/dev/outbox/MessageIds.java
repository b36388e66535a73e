package dev.outbox;

import java.security.SecureRandom;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Ids of messages: UUIDs of version 7, drawn here, before a store has seen the message, so that no store can get them
 * wrong. Safe for use by several threads.
 *
 * <p>Why none comes again. Two of them are equal only if they were drawn in the same millisecond and their 74 random
 * bits are the same: of a million ids of one millisecond, in all processes together, a pair is to be expected once in
 * 2<sup>35</sup> such milliseconds. Nothing is counted up from a seed and nothing is kept from one draw to the next. So
 * a clock that is set back comes upon times that were used, and not upon bits that were; a process that starts
 * again, or next to another, knows nothing that it would have to know; and of two copies of one machine, made from a
 * snapshot, each asks its own system for its bits, which the system's generator has to tell apart, as Linux does since
 * 5.18 where the hypervisor says that there was a copy. What a database restores, truncates or forgets in a failover
 * has no part in it.
 *
 * <p>They begin with the time, so an index of them grows at one end. Nothing relies on their order: within a
 * millisecond they have none, and positions are the server's.
 */
final class MessageIds {
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final int LENGTH = 36;

    private MessageIds() {}

    static String draw() {
        byte[] random = new byte[10];
        RANDOM.nextBytes(random);
        long high = System.currentTimeMillis() << 16 | 0x7000 | (random[0] & 0x0f) << 8 | random[1] & 0xff;
        long low = 0;
        for (int i = 2; i < random.length; i++) {
            low = low << 8 | random[i] & 0xff;
        }
        return new UUID(high, low & 0x3fff_ffff_ffff_ffffL | 0x8000_0000_0000_0000L).toString();
    }

    static String checked(@Nullable String id) {
        if (id == null || !isCanonical(id)) {
            throw new MessageRejectedException(
                    "Not the id of a message: " + (id == null ? "null" : MessageRules.quote(id))
                            + ". Expected a UUID in its usual form, of 32 hexadecimal digits in lower case and four hyphens, as"
                            + " in 0192f0c1-2a3b-7c4d-8e5f-60718293a4b5; leave the id away, and one is drawn.");
        }
        return id;
    }

    private static boolean isCanonical(String id) {
        if (id.length() != LENGTH) {
            return false;
        }
        for (int i = 0; i < LENGTH; i++) {
            char c = id.charAt(i);
            boolean fits =
                    i == 8 || i == 13 || i == 18 || i == 23 ? c == '-' : c >= '0' && c <= '9' || c >= 'a' && c <= 'f';
            if (!fits) {
                return false;
            }
        }
        return true;
    }
}
