package dev.outbox.store.redis;

import java.nio.ByteBuffer;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Ids of messages: UUIDs, stored as 16 bytes and shown as usual. What is shown says nothing about positions (decision
 * 6).
 */
final class MessageId {
    static final int BYTES = 16;

    private MessageId() {}

    /** The id of a message that is to be written. */
    static byte[] stored(String id) {
        return stored(UUID.fromString(id));
    }

    private static byte[] stored(UUID id) {
        return ByteBuffer.allocate(BYTES)
                .putLong(id.getMostSignificantBits())
                .putLong(id.getLeastSignificantBits())
                .array();
    }

    /** As it is shown. */
    static String shown(byte[] stored, int offset) {
        ByteBuffer id = ByteBuffer.wrap(stored, offset, BYTES);
        return new UUID(id.getLong(), id.getLong()).toString();
    }

    /** As it is shown; of an entry that was not written by us, whatever it has. */
    static String shown(byte[] stored) {
        return stored.length == BYTES && !isPosition(stored) ? shown(stored, 0) : Reply.text(stored);
    }

    /** What others wrote has its position for an id, which may be as long as one of ours: digits and a dash. */
    private static boolean isPosition(byte[] stored) {
        for (byte each : stored) {
            if (each != '-' && (each < '0' || each > '9')) {
                return false;
            }
        }
        return true;
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
