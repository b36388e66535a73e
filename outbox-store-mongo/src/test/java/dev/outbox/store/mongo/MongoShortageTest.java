package dev.outbox.store.mongo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.mongodb.ConnectionString;
import com.mongodb.MongoClientSettings;
import com.mongodb.MongoOperationTimeoutException;
import com.mongodb.MongoTimeoutException;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.client.MongoCollection;
import com.mongodb.event.ConnectionCheckedInEvent;
import com.mongodb.event.ConnectionCheckedOutEvent;
import com.mongodb.event.ConnectionPoolListener;
import dev.outbox.FailureKind;
import dev.outbox.RetryPolicy;
import dev.outbox.processes.Await;
import dev.outbox.servers.MongoServer;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.bson.Document;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a publisher that writes to MongoDB throws, and whether the relay takes it for a fault of the message. */
@Tag("mongo")
@Timeout(300)
class MongoShortageTest {
    /** One document takes it three seconds, in which the connection is in use. */
    private static final Document SLOW = new Document("$where", "sleep(3000) || true");

    private final MongoServer server = MongoServer.shared();

    /** With a limit on whole operations, as they are recommended, or without. */
    private static MongoClient client(String url, boolean limited, ConnectionPoolListener listener) {
        MongoClientSettings.Builder settings = MongoClientSettings.builder()
                .applyConnectionString(new ConnectionString(url))
                .applyToConnectionPoolSettings(pool ->
                        pool.maxSize(1).maxWaitTime(200, TimeUnit.MILLISECONDS).addConnectionPoolListener(listener))
                .applyToClusterSettings(cluster -> cluster.serverSelectionTimeout(200, TimeUnit.MILLISECONDS));
        if (limited) {
            settings.timeout(30, TimeUnit.SECONDS);
        }
        return MongoClients.create(settings.build());
    }

    private static MongoClient client(String url, boolean limited) {
        return client(url, limited, new ConnectionPoolListener() {});
    }

    /** On a busy machine the time of a whole operation may be over before it asks for what is short. */
    private static boolean isShortage(boolean limited, MongoTimeoutException failure) {
        assertEquals(limited, failure instanceof MongoOperationTimeoutException, failure.toString());
        return RetryPolicy.defaults().kindOf(failure) == FailureKind.UNAVAILABLE;
    }

    /** On a busy machine the first connection may take longer than these clients wait for one. */
    private static void connect(MongoCollection<Document> collection) throws Exception {
        Await.until("the client is connected", () -> {
            try {
                collection.insertOne(new Document());
                return true;
            } catch (MongoTimeoutException e) {
                return false;
            }
        });
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void noFreeConnectionIsAShortage(boolean limited) throws Exception {
        AtomicInteger inUse = new AtomicInteger();
        ConnectionPoolListener counting = new ConnectionPoolListener() {
            @Override
            public void connectionCheckedOut(ConnectionCheckedOutEvent event) {
                inUse.incrementAndGet();
            }

            @Override
            public void connectionCheckedIn(ConnectionCheckedInEvent event) {
                inUse.decrementAndGet();
            }
        };
        try (TestOutbox outbox = new TestOutbox(server);
                MongoClient client = client(outbox.url, limited, counting)) {
            MongoCollection<Document> collection =
                    client.getDatabase(outbox.name()).getCollection("orders");
            connect(collection);
            MongoCollection<Document> impatient =
                    limited ? collection.withTimeout(200, TimeUnit.MILLISECONDS) : collection;
            Await.until("an operation meets another that has the only connection", () -> {
                Thread holding = new Thread(() -> collection.find(SLOW).first());
                holding.start();
                Await.until("the only connection is in use", () -> inUse.get() == 1 || !holding.isAlive());
                try {
                    impatient.insertOne(new Document());
                    return false; // the other had ended
                } catch (MongoTimeoutException e) {
                    return isShortage(limited, e);
                } finally {
                    holding.join();
                }
            });
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void noServerIsAShortage(boolean limited) throws Exception {
        try (MongoClient client = client("mongodb://127.0.0.1:1/?directConnection=true", limited)) {
            MongoCollection<Document> collection = client.getDatabase("x").getCollection("orders");
            MongoCollection<Document> impatient =
                    limited ? collection.withTimeout(200, TimeUnit.MILLISECONDS) : collection;
            Await.until(
                    "no server is there when the time is over",
                    () -> isShortage(
                            limited,
                            assertThrows(MongoTimeoutException.class, () -> impatient.insertOne(new Document()))));
        }
    }

    /** The next attempt may take as long, and must count, or the message would stop its topic forever. */
    @Test
    void anOperationThatTakesTooLongIsAFaultOfTheMessage() throws Exception {
        try (TestOutbox outbox = new TestOutbox(server);
                MongoClient client = client(outbox.url, true)) {
            MongoCollection<Document> collection =
                    client.getDatabase(outbox.name()).getCollection("orders");
            Await.until("the operation has begun when its time is over", () -> {
                connect(collection);
                MongoTimeoutException failure = assertThrows(
                        MongoTimeoutException.class,
                        () -> collection
                                .withTimeout(200, TimeUnit.MILLISECONDS)
                                .find(SLOW)
                                .first());
                assertEquals(true, failure instanceof MongoOperationTimeoutException, failure.toString());
                return RetryPolicy.defaults().kindOf(failure) == FailureKind.TRANSIENT;
            });
        }
    }
}
