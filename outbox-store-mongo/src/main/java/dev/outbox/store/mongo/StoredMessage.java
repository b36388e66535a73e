package dev.outbox.store.mongo;

import dev.outbox.PersistedMessage;
import java.util.Map;
import org.bson.BsonTimestamp;
import org.bson.BsonValue;
import org.jspecify.annotations.Nullable;

/**
 * A message as it is in its collection.
 *
 * @param id the {@code _id} of its document
 * @param position where it stands in its partition: the server's timestamp of its insertion
 * @param created when it was persisted first, which for a redriven one is before its position
 * @param problem why it cannot be read, or null; if it cannot, only its partition is to be relied on
 */
record StoredMessage(
        BsonValue id,
        Partition partition,
        BsonTimestamp position,
        BsonTimestamp created,
        PersistedMessage message,
        @Nullable String problem) {
    /** About how many bytes it has. */
    long bytes() {
        long bytes = (long) message.payload().length
                + (message.key() == null ? 0 : message.key().length());
        for (Map.Entry<String, String> header : message.headers().entrySet()) {
            bytes += (long) header.getKey().length() + header.getValue().length();
        }
        return bytes;
    }
}
