package dev.outbox.store.mongo;

import dev.outbox.PersistedMessage;
import dev.outbox.StoreException;
import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bson.BsonInvalidOperationException;
import org.bson.BsonReader;
import org.bson.BsonTimestamp;
import org.bson.BsonType;
import org.bson.BsonWriter;
import org.bson.codecs.Codec;
import org.bson.codecs.DecoderContext;
import org.bson.codecs.EncoderContext;
import org.bson.types.ObjectId;
import org.jspecify.annotations.Nullable;

/** Reads messages straight from the wire, without a document in between. */
final class StoredMessageCodec implements Codec<StoredMessage> {
    @Override
    public StoredMessage decode(BsonReader reader, DecoderContext context) {
        ObjectId id = null;
        BsonTimestamp position = null;
        BsonTimestamp created = null;
        String topic = null;
        int partition = 0;
        String key = null;
        Map<String, String> headers = Map.of();
        byte[] payload = null;
        int attempts = 0;
        try {
            reader.readStartDocument();
            while (reader.readBsonType() != BsonType.END_OF_DOCUMENT) {
                switch (reader.readName()) {
                    case "_id" -> id = reader.readObjectId();
                    case "topic" -> topic = reader.readString();
                    case "partition" -> partition = reader.readInt32();
                    case "position" -> position = reader.readTimestamp();
                    case "created" -> created = reader.readTimestamp();
                    case "key" -> key = reader.readString();
                    case "headers" -> headers = headers(reader);
                    case "payload" -> payload = reader.readBinaryData().getData();
                    case "attempts" -> attempts = reader.readInt32();
                    default -> reader.skipValue();
                }
            }
            reader.readEndDocument();
        } catch (BsonInvalidOperationException e) {
            throw unreadable(id, e);
        }
        if (id == null || topic == null || position == null || payload == null) {
            throw unreadable(id, null);
        }
        BsonTimestamp first = created == null ? position : created;
        PersistedMessage message = new PersistedMessage(
                id.toHexString(), topic, partition, key, headers, payload, attempts, instant(first));
        return new StoredMessage(id, position, first, message);
    }

    /** The server's logical clock, which follows its own in whole seconds. */
    static Instant instant(BsonTimestamp time) {
        return Instant.ofEpochSecond(Integer.toUnsignedLong(time.getTime()));
    }

    static Map<String, String> headers(BsonReader reader) {
        Map<String, String> headers = new LinkedHashMap<>();
        reader.readStartArray();
        while (reader.readBsonType() != BsonType.END_OF_DOCUMENT) {
            String name = reader.readString();
            reader.readBsonType();
            headers.put(name, reader.readString());
        }
        reader.readEndArray();
        return Collections.unmodifiableMap(headers);
    }

    private static StoreException unreadable(@Nullable ObjectId id, @Nullable Exception cause) {
        return new StoreException(
                "Message " + id + " cannot be read, and stops its partition: a field is missing or of another type than"
                        + " the outbox writes. Something else has written to its collections; correct or delete it.",
                cause);
    }

    @Override
    public void encode(BsonWriter writer, StoredMessage message, EncoderContext context) {
        throw new UnsupportedOperationException("messages are written as documents");
    }

    @Override
    public Class<StoredMessage> getEncoderClass() {
        return StoredMessage.class;
    }
}
