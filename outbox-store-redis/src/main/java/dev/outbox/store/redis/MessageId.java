package dev.outbox.store.redis;

import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Ids of messages: UUIDs of version 7, made by the client because it is told before the server has seen the message. They
 * are stored as 16 bytes and shown as usual. What is shown says nothing about positions (decision 6).
 */
final class MessageId {
    static final int BYTES = 16;

    private static final SecureRandom RANDOM = new SecureRandom();

    private MessageId() {}

    static UUID next() {
        byte[] random = new byte[10];
        RANDOM.nextBytes(random);
        ByteBuffer bits = ByteBuffer.wrap(random);
        long high = System.currentTimeMillis() << 16 | 0x7000 | bits.getShort() & 0x0fff;
        long low = bits.getLong() & 0x3fff_ffff_ffff_ffffL | 0x8000_0000_0000_0000L;
        return new UUID(high, low);
    }

    static byte[] stored(UUID id) {
        return ByteBuffer.allocate(BYTES)
                .putLong(id.getMostSignificantBits())
                .putLong(id.getLeastSignificantBits())
                .array();
    }

    /** As it is shown; of an entry that was not written by us, whatever it has. */
    static String shown(byte[] stored) {
        if (stored.length != BYTES) {
            return Reply.text(stored);
        }
        ByteBuffer bits = ByteBuffer.wrap(stored);
        return new UUID(bits.getLong(), bits.getLong()).toString();
    }

    /** As it is stored, or null if we cannot have shown it. */
    static byte @Nullable [] parse(String shown) {
        try {
            UUID id = UUID.fromString(shown);
            return id.toString().equals(shown) ? stored(id) : null;
        } catch (IllegalArgumentException e) {
            return null;
        }
    }
}
