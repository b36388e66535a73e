package dev.outbox.store.mongo;

import dev.outbox.PersistedMessage;
import java.time.Instant;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.bson.BsonArray;
import org.bson.BsonDocument;
import org.bson.BsonInt32;
import org.bson.BsonInvalidOperationException;
import org.bson.BsonNull;
import org.bson.BsonObjectId;
import org.bson.BsonReader;
import org.bson.BsonReaderMark;
import org.bson.BsonTimestamp;
import org.bson.BsonType;
import org.bson.BsonValue;
import org.bson.BsonWriter;
import org.bson.codecs.BsonDocumentCodec;
import org.bson.codecs.Codec;
import org.bson.codecs.DecoderContext;
import org.bson.codecs.EncoderContext;
import org.jspecify.annotations.Nullable;

/**
 * Reads messages straight from the wire, without a document in between, unless they are not as the outbox writes them:
 * a number may be of another type, as shells write them, and what cannot be read is no error here, because it would be
 * one of all that was read together, but is noted for its partition alone.
 */
final class StoredMessageCodec implements Codec<StoredMessage> {
    private static final BsonDocumentCodec DOCUMENTS = new BsonDocumentCodec();
    private static final BsonValue NO_ID = BsonNull.VALUE;

    /** What is in no partition. */
    static final Partition NOWHERE = new Partition("", -1);

    private static final BsonTimestamp NO_TIME = new BsonTimestamp(0);
    private static final PersistedMessage NO_MESSAGE =
            new PersistedMessage("", "", 0, null, Map.of(), new byte[0], 0, Instant.EPOCH);

    @Override
    public StoredMessage decode(BsonReader reader, DecoderContext context) {
        BsonReaderMark start = reader.getMark();
        StoredMessage message = fast(reader);
        if (message != null) {
            return message;
        }
        start.reset();
        return thorough(DOCUMENTS.decode(reader, context));
    }

    /** Null if something is missing or of another type. */
    private static @Nullable StoredMessage fast(BsonReader reader) {
        BsonValue id = null;
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
                    case "_id" -> id = id(reader);
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
            return null;
        }
        if (id == null || topic == null || position == null || payload == null) {
            return null;
        }
        String shown;
        try {
            shown = Ids.shown(id);
        } catch (BsonInvalidOperationException e) {
            return null;
        }
        BsonTimestamp first = created == null ? position : created;
        PersistedMessage message = new PersistedMessage(
                shown, topic, partition, key, headers, payload, Math.max(0, attempts), instant(first));
        return new StoredMessage(id, new Partition(topic, partition), position, first, message, null);
    }

    private static BsonValue id(BsonReader reader) {
        return reader.getCurrentBsonType() == BsonType.BINARY
                ? reader.readBinaryData()
                : new BsonObjectId(reader.readObjectId());
    }

    /** The partition that a document is of, {@link #NOWHERE} if it is of none. */
    static Partition partition(BsonDocument document) {
        BsonValue topic = document.get("topic");
        BsonValue partition = document.get("partition");
        if (topic == null || !topic.isString() || partition == null || !partition.isNumber()) {
            return NOWHERE;
        }
        double number =
                partition.isDecimal128() ? Double.NaN : partition.asNumber().doubleValue();
        boolean whole = number >= 0 && number <= Integer.MAX_VALUE && number == Math.rint(number);
        return whole ? new Partition(topic.asString().getValue(), (int) number) : NOWHERE;
    }

    private static StoredMessage thorough(BsonDocument document) {
        Partition partition = partition(document);
        try {
            if (partition.equals(NOWHERE)) {
                throw new BsonInvalidOperationException("its topic or its partition is none");
            }
            BsonTimestamp position = document.getTimestamp("position");
            BsonTimestamp created = document.getTimestamp("created", position);
            BsonValue id = document.get("_id", NO_ID);
            PersistedMessage message = new PersistedMessage(
                    Ids.shown(id),
                    partition.topic(),
                    partition.partition(),
                    document.containsKey("key") ? document.getString("key").getValue() : null,
                    headers(document.getArray("headers", new BsonArray())),
                    document.getBinary("payload").getData(),
                    Math.max(0, document.getNumber("attempts", new BsonInt32(0)).intValue()),
                    instant(created));
            return new StoredMessage(id, partition, position, created, message, null);
        } catch (RuntimeException e) { // whatever it is that hands have written
            String problem = "Message " + FailedBefore.text(document.get("_id")) + " of " + partition
                    + " cannot be read, and stops its partition: " + e.getMessage()
                    + ". Something else has written to the collections of the outbox; correct or delete it.";
            return new StoredMessage(document.get("_id", NO_ID), partition, NO_TIME, NO_TIME, NO_MESSAGE, problem);
        }
    }

    static Map<String, String> headers(BsonArray list) {
        if (list.size() % 2 != 0) {
            throw new BsonInvalidOperationException("of the headers one has no value");
        }
        Map<String, String> headers = new LinkedHashMap<>();
        for (int i = 0; i < list.size(); i += 2) {
            headers.put(
                    list.get(i).asString().getValue(),
                    list.get(i + 1).asString().getValue());
        }
        return Collections.unmodifiableMap(headers);
    }

    /** The server's logical clock, which follows its own in whole seconds. */
    static Instant instant(BsonTimestamp time) {
        return Instant.ofEpochSecond(Integer.toUnsignedLong(time.getTime()));
    }

    private static Map<String, String> headers(BsonReader reader) {
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

    @Override
    public void encode(BsonWriter writer, StoredMessage message, EncoderContext context) {
        throw new UnsupportedOperationException("messages are written as documents");
    }

    @Override
    public Class<StoredMessage> getEncoderClass() {
        return StoredMessage.class;
    }
}
