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
import dev.outbox.FailureKind;
import dev.outbox.RetryPolicy;
import dev.outbox.servers.MongoServer;
import java.util.concurrent.TimeUnit;
import org.bson.Document;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a publisher that writes to MongoDB throws, and whether the relay takes it for a fault of the message. */
@Tag("mongo")
@Timeout(60)
class MongoShortageTest {
    /** One document takes it three seconds, in which the connection is in use. */
    private static final Document SLOW = new Document("$where", "sleep(3000) || true");

    private final MongoServer server = MongoServer.shared();

    /** With a limit on whole operations, as they are recommended, or without. */
    private static MongoClient client(String url, boolean limited) {
        MongoClientSettings.Builder settings = MongoClientSettings.builder()
                .applyConnectionString(new ConnectionString(url))
                .applyToConnectionPoolSettings(pool -> pool.maxSize(1).maxWaitTime(200, TimeUnit.MILLISECONDS))
                .applyToClusterSettings(cluster -> cluster.serverSelectionTimeout(200, TimeUnit.MILLISECONDS));
        if (limited) {
            settings.timeout(30, TimeUnit.SECONDS);
        }
        return MongoClients.create(settings.build());
    }

    private static void assertKind(FailureKind kind, boolean limited, Executable failing) {
        MongoTimeoutException failure = assertThrows(MongoTimeoutException.class, failing);
        assertEquals(limited, failure instanceof MongoOperationTimeoutException, failure.toString());
        assertEquals(kind, RetryPolicy.defaults().kindOf(failure), failure.toString());
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void noFreeConnectionIsAShortage(boolean limited) throws Exception {
        try (TestOutbox outbox = new TestOutbox(server);
                MongoClient client = client(outbox.url, limited)) {
            MongoCollection<Document> collection =
                    client.getDatabase(outbox.name()).getCollection("orders");
            collection.insertOne(new Document());
            Thread holding = new Thread(() -> collection.find(SLOW).first());
            holding.start();
            MongoCollection<Document> impatient =
                    limited ? collection.withTimeout(200, TimeUnit.MILLISECONDS) : collection;
            assertKind(FailureKind.UNAVAILABLE, limited, () -> {
                while (holding.isAlive()) {
                    impatient.insertOne(new Document());
                }
            });
            holding.join();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void noServerIsAShortage(boolean limited) {
        try (MongoClient client = client("mongodb://127.0.0.1:1/?directConnection=true", limited)) {
            MongoCollection<Document> collection = client.getDatabase("x").getCollection("orders");
            assertKind(
                    FailureKind.UNAVAILABLE,
                    limited,
                    () -> (limited ? collection.withTimeout(200, TimeUnit.MILLISECONDS) : collection)
                            .insertOne(new Document()));
        }
    }

    /** The next attempt may take as long, and must count, or the message would stop its topic forever. */
    @Test
    void anOperationThatTakesTooLongIsAFaultOfTheMessage() {
        try (TestOutbox outbox = new TestOutbox(server);
                MongoClient client = client(outbox.url, true)) {
            MongoCollection<Document> collection =
                    client.getDatabase(outbox.name()).getCollection("orders");
            collection.insertOne(new Document());
            assertKind(
                    FailureKind.TRANSIENT,
                    true,
                    () -> collection
                            .withTimeout(200, TimeUnit.MILLISECONDS)
                            .find(SLOW)
                            .first());
        }
    }
}
