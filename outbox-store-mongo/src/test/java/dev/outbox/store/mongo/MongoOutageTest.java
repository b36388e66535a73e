package dev.outbox.store.mongo;

import static dev.outbox.store.mongo.TestOutbox.TOPIC;
import static dev.outbox.store.mongo.TestOutbox.eventually;
import static dev.outbox.store.mongo.TestOutbox.publishAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.mongodb.client.ClientSession;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import dev.outbox.MessageBatch;
import dev.outbox.Operations;
import dev.outbox.OutgoingMessage;
import dev.outbox.Store;
import dev.outbox.StoreException;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.servers.MongoServer;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.bson.Document;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A server that is away, does not know a command, or has little memory. */
@Tag("mongo")
@Timeout(value = 600, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class MongoOutageTest {
    private static MongoServer server;

    @BeforeAll
    static void start() throws Exception {
        server = MongoServer.packaged(1, List.of("enableTestCommands=1"));
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    private static void onAdmin(Document command) {
        try (MongoClient client = MongoClients.create(server.url())) {
            client.getDatabase("admin").runCommand(command);
        }
    }

    /** Older servers, and newer ones that are told to be like older ones, refuse it each in their own way. */
    @ParameterizedTest
    @ValueSource(ints = {59, 115, 40415})
    void aServerThatComesToRefuseTheCommandForSeveralStatements(int code) {
        try (TestOutbox outbox = new TestOutbox(server);
                Store store = MongoOutbox.store(outbox.client, outbox.name(), StoreOptions.defaults())) {
            outbox.commit(0, "1", "2");
            onAdmin(new Document("configureFailPoint", "failCommand")
                    .append("mode", "alwaysOn")
                    .append("data", new Document("failCommands", List.of("bulkWrite")).append("errorCode", code)));
            try {
                assertEquals(List.of("1", "2"), publishAll(store));
                assertEquals(List.of(), publishAll(store));
                assertEquals(0, outbox.database.getCollection("outbox_messages").countDocuments());
                outbox.commit(0, "3");
                outbox.commands.clear();
                assertEquals(List.of("3"), publishAll(store));
                assertFalse(outbox.commands.names().contains("bulkWrite"), "asked for once more");
            } finally {
                onAdmin(new Document("configureFailPoint", "failCommand").append("mode", "off"));
            }
        }
    }

    /** Without a label that a driver knows: the storage engine has rolled back a transaction to get room. */
    @ParameterizedTest
    @ValueSource(ints = {365, 388})
    void aServerWithoutRoomForATransactionIsAskedAgain(int code) {
        try (TestOutbox outbox = new TestOutbox(server);
                Store store = MongoOutbox.store(outbox.client, outbox.name(), StoreOptions.defaults())) {
            outbox.commit(0, "1", "2", "3", "4", "5");
            try (MessageBatch batch = store.checkout(Set.of(TOPIC), 10)) {
                batch.messages().forEach(m -> batch.deadLetter(m, "poison"));
                refuse(code, 2, "update", "delete", "insert", "bulkWrite");
            }
            Operations operations = Operations.of(store);
            List<String> ids = operations.deadLetters(TOPIC, null, 10).stream()
                    .map(letter -> letter.message().id())
                    .toList();
            assertEquals(5, ids.size());
            refuse(code, 3, "insert");
            assertEquals(5, operations.redrive(ids));
            assertEquals(List.of("1", "2", "3", "4", "5"), publishAll(store));
        }
    }

    /** The application's transaction begins again, as after any other rollback by the server. */
    @Test
    void aTransactionThatIsRolledBackForRoomBeginsAgain() {
        try (TestOutbox outbox = new TestOutbox(server);
                Store store = MongoOutbox.store(outbox.client, outbox.name(), StoreOptions.defaults())) {
            refuse(365, 1, "insert");
            outbox.commit(0, "1", "2");
            assertEquals(List.of("1", "2"), publishAll(store));
        }
    }

    private static void refuse(int code, int times, String... commands) {
        onAdmin(new Document("configureFailPoint", "failCommand")
                .append("mode", new Document("times", times))
                .append("data", new Document("failCommands", List.of(commands)).append("errorCode", code)));
    }

    @Test
    void whatIsLargeDiesAndIsRedrivenWithALittleCache() {
        onAdmin(new Document("setParameter", 1).append("wiredTigerEngineRuntimeConfig", "cache_size=256M"));
        byte[] large = new byte[2 << 20];
        int messages = 100;
        try (TestOutbox outbox = new TestOutbox(server);
                Store store = MongoOutbox.store(outbox.client, outbox.name(), StoreOptions.defaults())) {
            for (int i = 0; i < messages; i++) {
                try (ClientSession session = outbox.client.startSession()) {
                    session.withTransaction(() -> MongoOutbox.persist(session, outbox.database)
                            .persist(new OutgoingMessage(TOPIC, 0, null, Map.of(), large)));
                }
            }
            Operations operations = Operations.of(store);
            while (operations.deadLetters(TOPIC, null, messages).size() < messages) {
                try (MessageBatch batch = store.checkout(Set.of(TOPIC), 100)) {
                    batch.messages().forEach(m -> batch.deadLetter(m, "poison"));
                } catch (StoreException e) { // of a server whose disk is slow, for longer than a close tries
                    assertTrue(e.getMessage().contains("TemporarilyUnavailable"), e.getMessage());
                }
            }
            List<String> ids = operations.deadLetters(TOPIC, null, messages).stream()
                    .map(letter -> letter.message().id())
                    .toList();
            assertEquals(messages, operations.redrive(ids));
            int came = 0;
            while (came < messages) {
                try (MessageBatch batch = store.checkout(Set.of(TOPIC), 100)) {
                    assertEquals(
                            ids.subList(came, came + batch.messages().size()),
                            batch.messages().stream().map(m -> m.id()).toList());
                    batch.messages().forEach(m -> batch.markPublished(m, null));
                    came += batch.messages().size();
                }
            }
        } finally {
            onAdmin(new Document("setParameter", 1).append("wiredTigerEngineRuntimeConfig", "cache_size=512M"));
        }
    }

    /**
     * Nobody waits for a server that is away for longer than it takes to elect another. The driver alone would wait for
     * 30 s, each time that it is asked.
     */
    @Test
    void whatIsClosedWithoutAServerIsClosedSoon() throws Exception {
        try (TestOutbox outbox = new TestOutbox(server)) {
            Store store = Stores.open(outbox.url);
            outbox.commit(0, "1");
            MessageBatch batch = store.checkout(Set.of(TOPIC), 10);
            batch.markPublished(batch.messages().get(0), null);
            server.kill(0);
            try {
                eventually("it is noticed", () -> batch.isHeld() ? true : null);
                StoreException error = assertThrows(StoreException.class, () -> within(90, batch::close));
                assertFalse(error.getMessage().contains("password"), error.getMessage());
                StoreException again =
                        assertThrows(StoreException.class, () -> within(25, () -> store.checkout(Set.of(TOPIC), 10)));
                assertTrue(again.getMessage().contains("takes writes"), again.getMessage());
                within(90, store::close);
            } finally {
                server.restart(0);
                server.awaitPrimary();
            }
            try (Store fresh = Stores.open(outbox.url)) {
                eventually("the message comes again", () -> {
                    try {
                        return publishAll(fresh).equals(List.of("1")) ? true : null;
                    } catch (StoreException e) {
                        return null; // a server that has just started does not know its time for some moments
                    }
                });
            }
        }
    }

    private static void within(int seconds, Runnable task) {
        long began = System.nanoTime();
        try {
            task.run();
        } finally {
            long took = System.nanoTime() - began;
            assertTrue(took < TimeUnit.SECONDS.toNanos(seconds), "took " + took / 1_000_000 + " ms");
        }
    }
}
