package dev.outbox.store.redis;

import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Ids of messages: UUIDs of version 7, made by the client because they are told before the server has seen the message. They
 * are stored as 16 bytes and shown as usual. What is shown says nothing about positions (decision 6).
 */
final class MessageId {
    static final int BYTES = 16;

    private static final int TIME_BYTES = 6;
    private static final int COUNTED_BYTES = 4;
    private static final SecureRandom RANDOM = new SecureRandom();

    private MessageId() {}

    /**
     * Ids of one origin: what is random is drawn once and counted up, as RFC 9562 describes it in 6.2. Not safe for use by
     * several threads.
     */
    static final class Series {
        private final byte[] random = new byte[BYTES - TIME_BYTES];
        private boolean drawn;

        byte[] next() {
            if (!drawn || !countUp()) {
                RANDOM.nextBytes(random);
                drawn = true;
            }
            byte[] id = new byte[BYTES];
            long millis = System.currentTimeMillis();
            for (int i = 0; i < TIME_BYTES; i++) {
                id[i] = (byte) (millis >> 40 - 8 * i);
            }
            System.arraycopy(random, 0, id, TIME_BYTES, random.length);
            id[6] = (byte) (0x70 | id[6] & 0x0f);
            id[8] = (byte) (0x80 | id[8] & 0x3f);
            return id;
        }

        /** In the last bytes alone, which are all random; false if they are used up. */
        private boolean countUp() {
            for (int i = random.length - 1; i >= random.length - COUNTED_BYTES; i--) {
                if (++random[i] != 0) {
                    return true;
                }
            }
            return false;
        }
    }

    /** As it is shown. */
    static String shown(byte[] stored, int offset) {
        ByteBuffer id = ByteBuffer.wrap(stored, offset, BYTES);
        return new UUID(id.getLong(), id.getLong()).toString();
    }

    /** As it is shown; of an entry that was not written by us, whatever it has. */
    static String shown(byte[] stored) {
        return stored.length == BYTES ? shown(stored, 0) : Reply.text(stored);
    }

    /** As it is stored, or null if we cannot have shown it. */
    static byte @Nullable [] parse(String shown) {
        try {
            UUID id = UUID.fromString(shown);
            return id.toString().equals(shown)
                    ? ByteBuffer.allocate(BYTES)
                            .putLong(id.getMostSignificantBits())
                            .putLong(id.getLeastSignificantBits())
                            .array()
                    : null;
        } catch (IllegalArgumentException e) {
            return null;
        }
    }
}
