package dev.outbox.store.mongo;

import com.mongodb.MongoClientSettings;
import com.mongodb.MongoCommandException;
import com.mongodb.ReadConcern;
import com.mongodb.ReadPreference;
import com.mongodb.WriteConcern;
import com.mongodb.client.MongoCollection;
import com.mongodb.client.MongoDatabase;
import com.mongodb.client.model.Indexes;
import dev.outbox.ConfigurationException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.regex.Pattern;
import org.bson.BsonDocument;
import org.bson.codecs.BsonDocumentCodec;
import org.bson.codecs.configuration.CodecRegistries;
import org.bson.codecs.configuration.CodecRegistry;
import org.bson.conversions.Bson;

/**
 * The collections of an outbox, read and written the way that is safe, whatever the client's defaults are: what is
 * written outlives a failover, and what is read is the primary's.
 */
record OutboxCollections(
        MongoCollection<BsonDocument> messages,
        MongoCollection<BsonDocument> partitions,
        MongoCollection<BsonDocument> deadLetters) {
    private static final Pattern PREFIX = Pattern.compile("[A-Za-z_][A-Za-z0-9_.-]{0,99}");
    private static final int NAMESPACE_EXISTS = 48;
    private static final String MESSAGES = "messages";

    /** What every read and every checkout needs; also what messages of a partition are sorted by. */
    static final Bson BY_POSITION = Indexes.ascending("topic", "partition", "position");

    private static final Bson BY_DEATH = Indexes.ascending("topic", "died");
    private static final CodecRegistry CODECS = CodecRegistries.fromRegistries(
            CodecRegistries.fromCodecs(new StoredMessageCodec()), MongoClientSettings.getDefaultCodecRegistry());

    /**
     * For documents alone: codecs are built again for each collection, and all codecs would make a third more garbage.
     */
    private static final CodecRegistry DOCUMENTS = CodecRegistries.fromCodecs(new BsonDocumentCodec());

    static OutboxCollections of(MongoDatabase database, String prefix) {
        MongoDatabase safe = safe(database);
        return new OutboxCollections(
                safe.getCollection(prefix + MESSAGES, BsonDocument.class),
                safe.getCollection(prefix + "partitions", BsonDocument.class),
                safe.getCollection(prefix + "dead_letters", BsonDocument.class));
    }

    /**
     * To write messages to, in transactions, which have a concern of their own: made for each transaction, so it is
     * cheap.
     */
    static MongoCollection<BsonDocument> messages(MongoDatabase database, String prefix) {
        return database.getCollection(prefix + MESSAGES, BsonDocument.class).withCodecRegistry(DOCUMENTS);
    }

    private static MongoDatabase safe(MongoDatabase database) {
        return database.withWriteConcern(WriteConcern.MAJORITY)
                .withReadConcern(ReadConcern.LOCAL)
                .withReadPreference(ReadPreference.primary())
                .withCodecRegistry(CODECS);
    }

    static String checkedPrefix(String prefix) {
        if (!PREFIX.matcher(prefix).matches() || prefix.startsWith("system.")) {
            throw new ConfigurationException("The prefix of the collections is '" + prefix
                    + "'; expected 1 to 100 of the characters A-Z a-z 0-9 _ . -, beginning with a letter or _, and not"
                    + " with system.");
        }
        return prefix;
    }

    /** Creates what is missing. Several processes may do so at the same time. */
    static void create(MongoDatabase database, String prefix) {
        MongoDatabase safe = safe(database);
        OutboxCollections collections = of(database, prefix);
        for (MongoCollection<?> collection : collections.all()) {
            try {
                safe.createCollection(collection.getNamespace().getCollectionName());
            } catch (MongoCommandException e) {
                if (e.getErrorCode() != NAMESPACE_EXISTS) {
                    throw e;
                }
            }
        }
        collections.messages.createIndex(BY_POSITION);
        collections.deadLetters.createIndex(BY_DEATH);
    }

    /** What is not there, as it is to be said; empty if all is there. */
    List<String> missing() {
        List<String> missing = new ArrayList<>();
        for (MongoCollection<BsonDocument> collection : all()) {
            Set<List<String>> indexes = new HashSet<>();
            for (BsonDocument index : collection.listIndexes(BsonDocument.class).into(new ArrayList<>())) {
                if (index.containsKey("collation")) {
                    missing.add("texts that are compared exactly: "
                            + collection.getNamespace().getFullName()
                            + " has a collation of its own (make it anew without one)");
                }
                indexes.add(fields(index.getDocument("key")));
            }
            String name = collection.getNamespace().getFullName();
            if (indexes.isEmpty()) {
                missing.add("collection " + name);
            }
            Bson needed = collection == messages ? BY_POSITION : collection == deadLetters ? BY_DEATH : null;
            if (needed != null && !indexes.contains(fields(needed.toBsonDocument()))) {
                missing.add("index " + needed.toBsonDocument() + " of " + name);
            }
        }
        return missing;
    }

    /** A shell may have written 1 as another number than we do. */
    private static List<String> fields(BsonDocument key) {
        return List.copyOf(key.keySet());
    }

    /** How code names the outbox of these collections. */
    String inCode() {
        String name = messages.getNamespace().getCollectionName();
        String prefix = name.substring(0, name.length() - MESSAGES.length());
        return prefix.equals(MongoOutbox.DEFAULT_PREFIX) ? "MongoOutbox" : "MongoOutbox.named(\"" + prefix + "\")";
    }

    List<MongoCollection<BsonDocument>> all() {
        return List.of(messages, partitions, deadLetters);
    }
}
