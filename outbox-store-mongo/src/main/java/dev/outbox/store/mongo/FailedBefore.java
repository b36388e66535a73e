package dev.outbox.store.mongo;

import org.bson.BsonDocument;
import org.bson.BsonInvalidOperationException;
import org.bson.BsonString;
import org.bson.BsonTimestamp;
import org.bson.BsonValue;
import org.jspecify.annotations.Nullable;

/**
 * What the document of a partition says of a message that failed and was not settled since.
 *
 * @param position where it stands; before all others if the document does not say so, as after a change by hand:
 *     then the next message that is settled puts it right
 */
record FailedBefore(String id, BsonTimestamp position, String reason) {
    private static final BsonTimestamp BEFORE_ALL = new BsonTimestamp(0);

    /** Null if nothing failed. */
    static @Nullable FailedBefore of(BsonDocument partition) {
        BsonValue failing = partition.get("failing");
        if (failing == null) {
            return null;
        }
        BsonDocument state = failing.isDocument() ? failing.asDocument() : new BsonDocument();
        BsonValue position = state.get("position");
        return new FailedBefore(
                text(state.get("id")),
                position != null && position.isTimestamp() ? position.asTimestamp() : BEFORE_ALL,
                text(state.get("reason")));
    }

    static String text(@Nullable BsonValue value) {
        if (value == null) {
            return "";
        }
        try {
            return value instanceof BsonString string ? string.getValue() : Ids.shown(value);
        } catch (BsonInvalidOperationException e) {
            return value.toString();
        }
    }
}
