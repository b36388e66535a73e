package dev.outbox.store.mongo;

import static dev.outbox.store.mongo.TestOutbox.message;
import static dev.outbox.store.mongo.TestOutbox.publishAll;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.mongodb.MongoException;
import com.mongodb.ReadPreference;
import com.mongodb.TransactionOptions;
import com.mongodb.WriteConcern;
import com.mongodb.client.ClientSession;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import dev.outbox.MisuseException;
import dev.outbox.PersistFunc;
import dev.outbox.Store;
import dev.outbox.Stores;
import dev.outbox.servers.MongoServer;
import java.util.List;
import org.bson.Document;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Each state that a session can be in: its transaction is shared, or the message is refused and it is said why. */
@Tag("mongo")
@Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class MongoTransactionsTest {
    private TestOutbox outbox;

    @BeforeEach
    void create() {
        outbox = new TestOutbox(MongoServer.shared());
    }

    @AfterEach
    void drop() {
        outbox.close();
    }

    private PersistFunc persist(ClientSession session) {
        return MongoOutbox.persist(session, outbox.database);
    }

    private static void assertRefused(PersistFunc persist, String advice) {
        for (Runnable way : List.<Runnable>of(
                () -> persist.persist(message(0, "refused")),
                () -> persist.persistAll(List.of(message(0, "refused"))))) {
            String text = assertThrows(MisuseException.class, way::run).getMessage();
            assertTrue(text.contains(advice), text);
        }
    }

    private void assertPublished(String... texts) {
        try (Store store = Stores.open(outbox.url)) {
            assertEquals(List.of(texts), publishAll(store));
        }
    }

    @Test
    void beforeAndAfterATransaction() {
        try (ClientSession session = outbox.client.startSession()) {
            assertRefused(persist(session), "withTransaction");
            session.startTransaction();
            persist(session).persist(message(0, "aborted"));
            session.abortTransaction();
            assertRefused(persist(session), "withTransaction");
            session.startTransaction();
            persist(session).persist(message(0, "committed"));
            session.commitTransaction();
            assertRefused(persist(session), "withTransaction");
            session.startTransaction();
            session.commitTransaction(); // nothing was written
            assertRefused(persist(session), "withTransaction");
        }
        assertPublished("committed");
    }

    @Test
    void aSessionThatIsClosed() {
        ClientSession open = outbox.client.startSession();
        open.startTransaction();
        persist(open).persist(message(0, "never committed"));
        open.close();
        assertRefused(persist(open), "closed");
        ClientSession idle = outbox.client.startSession();
        idle.close();
        assertRefused(persist(idle), "closed");
        assertPublished();
    }

    @Test
    void aSessionOfAnotherClient() {
        try (MongoClient other = MongoClients.create(outbox.url);
                ClientSession session = other.startSession()) {
            session.startTransaction();
            assertRefused(persist(session), "another client");
            other.getDatabase(outbox.name()).getCollection("business").insertOne(session, new Document());
            session.commitTransaction(); // it is as good as before
            session.startTransaction();
            MongoOutbox.persist(session, other.getDatabase(outbox.name())).persist(message(0, "same client"));
            session.commitTransaction();
        }
        assertPublished("same client");
    }

    /** The server has ended it; a driver that begins again has to be told so in its own words. */
    @Test
    void aTransactionThatTheServerHasAborted() {
        try (ClientSession session = outbox.client.startSession()) {
            session.startTransaction();
            persist(session).persist(message(0, "lost"));
            outbox.client
                    .getDatabase("admin")
                    .runCommand(new Document(
                            "killSessions",
                            List.of(new Document(
                                    "id",
                                    session.getServerSession().getIdentifier().get("id")))));
            MongoException refusal =
                    assertThrows(MongoException.class, () -> persist(session).persist(message(0, "too late")));
            assertTrue(refusal.hasErrorLabel(MongoException.TRANSIENT_TRANSACTION_ERROR_LABEL), refusal.getMessage());
            session.abortTransaction();
        }
        assertPublished();
    }

    /** What the application has chosen for its transactions is its own affair, as long as a majority has them. */
    @Test
    void transactionsWithOptionsOfTheirOwn() {
        try (ClientSession session = outbox.client.startSession()) {
            session.startTransaction(TransactionOptions.builder()
                    .writeConcern(WriteConcern.W1)
                    .readPreference(ReadPreference.primary())
                    .build());
            persist(session).persist(message(0, "w1"));
            session.commitTransaction();
        }
        assertPublished("w1");
    }
}
