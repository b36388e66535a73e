package dev.outbox.store.mongo;

import com.mongodb.ConnectionString;
import com.mongodb.MongoClientSettings;
import com.mongodb.client.ClientSession;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.client.MongoDatabase;
import dev.outbox.MessageBatch;
import dev.outbox.OutgoingMessage;
import dev.outbox.PersistFunc;
import dev.outbox.PersistedMessage;
import dev.outbox.Store;
import dev.outbox.servers.MongoServer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;
import org.bson.BsonDocument;
import org.jspecify.annotations.Nullable;

/** An outbox in a database of its own, and the application that writes to it. */
final class TestOutbox implements AutoCloseable {
    static final String TOPIC = "orders";

    final String url;
    final MongoClient client;
    final MongoDatabase database;
    final Commands commands = new Commands();
    private final MongoServer server;

    TestOutbox(MongoServer server) {
        this.server = server;
        this.url = server.newDatabase();
        this.client = MongoClients.create(MongoClientSettings.builder()
                .applyConnectionString(new ConnectionString(url))
                .addCommandListener(commands)
                .build());
        this.database = client.getDatabase(name());
        MongoOutbox.createSchema(database);
    }

    String name() {
        return MongoHarness.database(url);
    }

    /** The URL with one parameter more. */
    static String with(String parameter, String url) {
        return url + (url.contains("?") ? "&" : "?") + parameter;
    }

    List<String> commit(int partition, String... texts) {
        try (ClientSession session = client.startSession()) {
            return session.withTransaction(() -> {
                PersistFunc persist = MongoOutbox.persist(session, database);
                List<String> ids = new ArrayList<>();
                for (String text : texts) {
                    ids.add(persist.persist(message(partition, text)));
                }
                return ids;
            });
        }
    }

    /** Many of them, by one call. */
    void commitTogether(int partition, List<String> texts) {
        try (ClientSession session = client.startSession()) {
            session.withTransaction(() -> MongoOutbox.persist(session, database)
                    .persistAll(
                            texts.stream().map(text -> message(partition, text)).toList()));
        }
    }

    BsonDocument partition(int partition) {
        BsonDocument found = database.getCollection("outbox_partitions", BsonDocument.class)
                .find(new org.bson.Document("_id", new Partition(TOPIC, partition).id()))
                .first();
        return found == null ? new BsonDocument() : found;
    }

    static OutgoingMessage message(int partition, String text) {
        return new OutgoingMessage(TOPIC, partition, null, Map.of(), text.getBytes(StandardCharsets.UTF_8));
    }

    static String text(PersistedMessage message) {
        return new String(message.payload(), StandardCharsets.UTF_8);
    }

    static List<String> texts(MessageBatch batch) {
        return batch.messages().stream().map(TestOutbox::text).toList();
    }

    /** Checks out once, settles all as published, and returns the texts. */
    static List<String> publishAll(Store store) {
        try (MessageBatch batch = store.checkout(Set.of(TOPIC), 100)) {
            batch.messages().forEach(m -> batch.markPublished(m, null));
            return texts(batch);
        }
    }

    /** Waits until something is there, and returns it. */
    static <T> T eventually(String what, Callable<@Nullable T> attempt) throws Exception {
        long deadline = System.nanoTime() + Duration.ofMinutes(3).toNanos();
        while (true) {
            T result = attempt.call();
            if (result != null) {
                return result;
            }
            if (System.nanoTime() - deadline > 0) {
                throw new AssertionError("Not within 3 minutes: " + what);
            }
            LockSupport.parkNanos(2_000_000);
        }
    }

    @Override
    public void close() {
        client.close();
        server.dropDatabase(url);
    }
}
