package dev.outbox.store.mongo;

import java.util.UUID;
import org.bson.BsonBinary;
import org.bson.BsonBinarySubType;
import org.bson.BsonInvalidOperationException;
import org.bson.BsonObjectId;
import org.bson.BsonValue;
import org.bson.types.ObjectId;
import org.jspecify.annotations.Nullable;

/**
 * Ids of messages, which are the {@code _id} of their documents: UUIDs in the standard form, as they were given. Those
 * that an older library or a shell wrote are ObjectIds, and shown as 24 hexadecimal digits.
 */
final class Ids {
    private Ids() {}

    /** The id of a message that is to be written. */
    static BsonValue stored(String id) {
        return new BsonBinary(UUID.fromString(id));
    }

    /**
     * As it is shown.
     *
     * @throws BsonInvalidOperationException if it is neither of the two
     */
    static String shown(@Nullable BsonValue id) {
        if (id != null && id.isObjectId()) {
            return id.asObjectId().getValue().toHexString();
        }
        BsonBinary binary = id != null && id.isBinary() ? id.asBinary() : null;
        if (binary == null || binary.getType() != BsonBinarySubType.UUID_STANDARD.getValue()) {
            throw new BsonInvalidOperationException("_id is neither a UUID nor an ObjectId");
        }
        return binary.asUuid().toString();
    }

    /** As it is stored, or null if we cannot have shown it. */
    static @Nullable BsonValue parse(String shown) {
        if (ObjectId.isValid(shown)) {
            ObjectId id = new ObjectId(shown);
            return id.toHexString().equals(shown) ? new BsonObjectId(id) : null;
        }
        try {
            UUID id = UUID.fromString(shown);
            return id.toString().equals(shown) ? new BsonBinary(id) : null;
        } catch (IllegalArgumentException e) {
            return null;
        }
    }
}
