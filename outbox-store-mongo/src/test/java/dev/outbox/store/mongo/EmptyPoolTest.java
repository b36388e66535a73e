package dev.outbox.store.mongo;

import static dev.outbox.store.mongo.TestOutbox.eventually;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.mongodb.ConnectionString;
import com.mongodb.MongoClientSettings;
import com.mongodb.MongoException;
import com.mongodb.client.ClientSession;
import com.mongodb.client.MongoChangeStreamCursor;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.client.MongoCollection;
import com.mongodb.client.model.changestream.ChangeStreamDocument;
import dev.outbox.Codecs;
import dev.outbox.Delivery;
import dev.outbox.Outbox;
import dev.outbox.Receipt;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.Topic;
import dev.outbox.relay.Relay;
import dev.outbox.servers.MongoServer;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.bson.Document;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Publishers that use a client of MongoDB in which no connection is free. */
@Tag("mongo")
@Timeout(300)
class EmptyPoolTest {
    private final AtomicInteger refused = new AtomicInteger();
    private final Queue<Integer> attempts = new ConcurrentLinkedQueue<>();

    @Test
    void anEmptyPoolIsNoFaultOfAMessage() throws Exception {
        try (TestOutbox outbox = new TestOutbox(MongoServer.shared());
                MongoClient pool = MongoClients.create(MongoClientSettings.builder()
                        .applyConnectionString(new ConnectionString(outbox.url))
                        .applyToConnectionPoolSettings(
                                settings -> settings.maxSize(1).maxWaitTime(50, TimeUnit.MILLISECONDS))
                        .build())) {
            Topic<String> topic = Topic.builder(TestOutbox.TOPIC, Codecs.text())
                    .publisher(
                            delivery -> publish(pool.getDatabase(outbox.name()).getCollection("broker"), delivery))
                    .build();
            try (ClientSession session = outbox.client.startSession()) {
                session.withTransaction(() -> Outbox.bind(topic, MongoOutbox.persist(session, outbox.database))
                        .publish("m"));
            }
            MongoCollection<Document> awaited = outbox.database.getCollection("awaited");
            try (MongoChangeStreamCursor<ChangeStreamDocument<Document>> changes = pool.getDatabase(outbox.name())
                    .getCollection("awaited")
                    .watch()
                    .maxAwaitTime(1, TimeUnit.MINUTES)
                    .cursor()) {
                Thread holder = new Thread(changes::next, "holds the only connection until there is a document");
                holder.start();
                eventually("the connection is held", () -> isHeld(pool) ? true : null);
                try (Store store = MongoOutbox.store(outbox.client, outbox.name(), StoreOptions.defaults());
                        Relay relay = Relay.builder(store).topic(topic).build()) {
                    relay.start();
                    eventually("publishers that found no connection", () -> refused.get() > 1 ? true : null);
                    awaited.insertOne(new Document());
                    holder.join();
                    eventually("the message", () -> attempts.isEmpty() ? null : true);
                    assertEquals(List.of(1), List.copyOf(attempts));
                }
            }
        }
    }

    private static boolean isHeld(MongoClient pool) {
        try {
            pool.getDatabase("admin").runCommand(new Document("ping", 1));
            return false;
        } catch (MongoException e) {
            return true;
        }
    }

    private Receipt publish(MongoCollection<Document> broker, Delivery<String> delivery) {
        try {
            broker.insertOne(new Document("message", delivery.message()));
        } catch (MongoException e) {
            refused.incrementAndGet();
            throw e;
        }
        attempts.add(delivery.attempt());
        return Receipt.taken();
    }
}
