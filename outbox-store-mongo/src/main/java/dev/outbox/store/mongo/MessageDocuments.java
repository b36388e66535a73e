package dev.outbox.store.mongo;

import dev.outbox.OutgoingMessage;
import dev.outbox.PersistedMessage;
import java.util.Map;
import org.bson.BsonArray;
import org.bson.BsonBinary;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonString;
import org.bson.BsonTimestamp;

/**
 * The documents that hold a message: in the messages collection
 *
 * <pre>{@code
 * { _id, topic, partition, position: Timestamp, key?, headers?: [name, value, …], payload, attempts?,
 *   created?: Timestamp }
 * }</pre>
 *
 * <p>{@code _id} is the id of the message, see {@link Ids}. {@code created} is there only if the message was redriven,
 * else {@code position} says when it was persisted. A dead letter has no {@code position}, and {@code died: Timestamp},
 * {@code diedAt: Date} and {@code reason} in addition to the rest.
 */
final class MessageDocuments {
    /**
     * The server replaces it with its own, when it carries out the insert; only in a field at the top of a document.
     */
    static final BsonTimestamp SET_BY_SERVER = new BsonTimestamp(0, 0);

    private MessageDocuments() {}

    static BsonDocument fresh(OutgoingMessage message) {
        BsonDocument document = new BsonDocument("_id", Ids.stored(message.id()))
                .append("topic", new BsonString(message.topic()))
                .append("partition", new BsonInt32(message.partition()))
                .append("position", SET_BY_SERVER);
        if (message.key() != null) {
            document.append("key", new BsonString(message.key()));
        }
        appendHeaders(document, message.headers());
        return document.append("payload", new BsonBinary(message.payload()));
    }

    static BsonDocument dead(StoredMessage stored, String reason) {
        PersistedMessage message = stored.message();
        BsonDocument document = new BsonDocument("_id", stored.id())
                .append("topic", new BsonString(message.topic()))
                .append("partition", new BsonInt32(message.partition()))
                .append("died", SET_BY_SERVER)
                .append("created", stored.created())
                .append("reason", new BsonString(reason))
                .append("attempts", new BsonInt32(message.attempts() + 1));
        if (message.key() != null) {
            document.append("key", new BsonString(message.key()));
        }
        appendHeaders(document, message.headers());
        return document.append("payload", new BsonBinary(message.payload()));
    }

    /** The same id at the end of another partition. */
    static BsonDocument moved(StoredMessage stored, String topic, int partition) {
        PersistedMessage message = stored.message();
        BsonDocument document = new BsonDocument("_id", stored.id())
                .append("topic", new BsonString(topic))
                .append("partition", new BsonInt32(partition))
                .append("position", SET_BY_SERVER)
                .append("created", stored.created());
        if (message.key() != null) {
            document.append("key", new BsonString(message.key()));
        }
        appendHeaders(document, message.headers());
        return document.append("payload", new BsonBinary(message.payload()));
    }

    /** The same id at a new position, the end. */
    static BsonDocument redriven(BsonDocument dead) {
        BsonDocument document = new BsonDocument("_id", dead.get("_id"))
                .append("topic", dead.get("topic"))
                .append("partition", dead.get("partition"))
                .append("position", SET_BY_SERVER);
        for (String field : new String[] {"key", "headers", "payload", "created"}) {
            if (dead.containsKey(field)) {
                document.append(field, dead.get(field));
            }
        }
        return document;
    }

    /** As a list, because not every name of a header is one of a field. */
    private static void appendHeaders(BsonDocument document, Map<String, String> headers) {
        if (!headers.isEmpty()) {
            BsonArray list = new BsonArray(2 * headers.size());
            headers.forEach((name, value) -> {
                list.add(new BsonString(name));
                list.add(new BsonString(value));
            });
            document.append("headers", list);
        }
    }
}
