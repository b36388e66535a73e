package dev.outbox.store.mongo;

import dev.outbox.PersistedMessage;
import org.bson.BsonTimestamp;
import org.bson.types.ObjectId;

/**
 * A message as it is in its collection.
 *
 * @param position where it stands in its partition: the server's timestamp of its insertion
 * @param created when it was persisted first, which for a redriven one is before its position
 */
record StoredMessage(ObjectId id, BsonTimestamp position, BsonTimestamp created, PersistedMessage message) {
    Lane lane() {
        return new Lane(message.topic(), message.partition());
    }
}
