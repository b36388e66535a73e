package dev.outbox.store.jooq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.ConfigurationException;
import dev.outbox.MessageBatch;
import dev.outbox.Operations;
import dev.outbox.OutgoingMessage;
import dev.outbox.PersistedMessage;
import dev.outbox.Store;
import dev.outbox.StoreException;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.servers.PostgresServer;
import dev.outbox.servers.PostgresVersion;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.postgresql.PGConnection;

/** A partition comes in the order of its ids, whatever transactions overlap, and nothing waits for more than that. */
@Tag("postgres")
@Timeout(300)
class PostgresStrictOrderTest {
    private static final String TOPIC = "orders";
    private static final StoreOptions STRICT = StoreOptions.defaults().with(JdbcOutbox.STRICT_ORDER, true);

    private final PostgresHarness harness = new PostgresHarness();
    private String address = "";

    @BeforeEach
    void create() throws Exception {
        address = harness.createOutbox();
        execute("CREATE TABLE business (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY)");
    }

    @AfterEach
    void drop() throws Exception {
        harness.dropOutbox(address);
    }

    @Test
    void whatIsBehindAnOpenTransactionWaitsForItsEnd() throws Exception {
        try (Store store = open();
                Connection late = begin(address);
                Connection rolledBack = begin(address)) {
            write(late, 0, "1");
            assertEquals(List.of(), publish(store));
            write(rolledBack, 0, "never");
            commit(0, "2");
            assertEquals(List.of(), publish(store));
            late.commit();
            assertEquals(List.of("1"), publish(store), "in front of what is still open");
            commit(0, "3");
            rolledBack.rollback();
            assertEquals(List.of("2", "3"), publish(store));
        }
    }

    /** The first to get a transaction id is not the first to draw a message id. */
    @Test
    void transactionIdsDoNotMatter() throws Exception {
        try (Store store = open();
                Connection first = begin(address);
                Connection second = begin(address)) {
            business(first);
            business(second);
            write(second, 0, "1");
            write(first, 0, "2");
            first.commit();
            assertEquals(List.of(), publish(store), "beside an open transaction with a lower message id");
            second.commit();
            assertEquals(List.of("1", "2"), publish(store));
        }
    }

    /** One that began first writes last, beside one in the middle that stays open and writes no message. */
    @Test
    void whatIsWrittenAfterACommitComesAfterIt() throws Exception {
        try (Store store = open();
                Connection first = begin(address);
                Connection between = begin(address)) {
            business(first);
            business(between);
            commit(0, "1");
            write(first, 0, "2");
            first.commit();
            assertEquals(List.of("1", "2"), publish(store), "while a transaction without messages is open");
        }
    }

    @Test
    void savepointsBelongToTheirTransaction() throws Exception {
        try (Store store = open();
                Connection writer = begin(address)) {
            write(writer, 0, "1");
            Savepoint savepoint = writer.setSavepoint();
            write(writer, 0, "2");
            writer.releaseSavepoint(savepoint);
            savepoint = writer.setSavepoint();
            write(writer, 0, "never");
            writer.rollback(savepoint);
            commit(0, "3");
            assertEquals(List.of(), publish(store));
            writer.commit();
            assertEquals(List.of("1", "2", "3"), publish(store));
        }
    }

    @Test
    void anOpenBatchHoldsNobodyUpNorDoesOneThatIsBeingClosed() throws Exception {
        commit(0, "1");
        try (Store one = open();
                Store two = open();
                Connection closing = begin(address)) {
            try (MessageBatch batch = one.checkout(Set.of(TOPIC), 10)) {
                assertEquals(List.of("1"), StoreTest.texts(batch));
                commit(1, "2");
                assertEquals(List.of("2"), publish(two), "beside an open batch");
            }
            // What a batch does when it is closed: it deletes, under its advisory lock.
            execute(closing, "SELECT pg_advisory_xact_lock(lock_key, 100) FROM outbox_schema");
            execute(closing, "DELETE FROM outbox_message WHERE id < 0");
            assertEquals(List.of("1"), publish(two), "beside a batch that is being closed");
        }
    }

    @Test
    void heldBackMessagesStarveNobody() throws Exception {
        try (Store store = open();
                Connection open = begin(address)) {
            commit(1, "a", "b");
            commit(2, "c");
            store.checkout(Set.of("bills"), 1).close();
            write(open, 0, "held back");
            for (int partition = 0; partition < 20; partition++) {
                commit(partition, "later 1", "later 2");
            }
            List<String> came = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                came.addAll(publish(store, 2));
            }
            assertEquals(Set.of("a", "b", "c"), Set.copyOf(came), "what is in front of the open transaction");
            assertEquals(List.of(), publish(store));
            open.commit();
            int left = 41;
            while (left > 0) {
                int published = publish(store, 10).size();
                assertTrue(published > 0, left + " are left");
                left -= published;
            }
        }
    }

    @Test
    void redrivenMessagesComeAtTheEnd() throws Exception {
        commit(0, "1");
        try (Store store = open();
                Connection open = begin(address)) {
            String id;
            try (MessageBatch batch = store.checkout(Set.of(TOPIC), 1)) {
                id = batch.messages().get(0).id();
                batch.deadLetter(batch.messages().get(0), "test");
            }
            write(open, 0, "2");
            assertEquals(1, Operations.of(store).redrive(List.of(id)));
            assertEquals(List.of(), publish(store));
            open.commit();
            assertEquals(List.of("2", "1"), publish(store));
        }
    }

    /** As a dump of its tables does: rows with ids of another cluster, and no sequence. */
    @Test
    void rowsOfAnotherClusterAreNotHeldBack() throws Exception {
        PostgresServer other = PostgresServer.shared(PostgresVersion.V16);
        String there = other.newDatabase();
        ByteArrayOutputStream dump = new ByteArrayOutputStream();
        try (Connection connection = DriverManager.getConnection(there)) {
            Stores.open(there, StoreOptions.defaults().withCreateSchema(true)).close();
            connection.setAutoCommit(false);
            connection
                    .createStatement()
                    .execute("ALTER SEQUENCE outbox_message_id_seq RESTART 1000000"); // ahead of ours
            write(connection, 0, "1");
            write(connection, 0, "2");
            connection.commit();
            connection.unwrap(PGConnection.class).getCopyAPI().copyOut("COPY outbox_message TO STDOUT", dump);
        } finally {
            other.dropDatabase(there);
        }
        try (Connection connection = DriverManager.getConnection(address)) {
            connection
                    .unwrap(PGConnection.class)
                    .getCopyAPI()
                    .copyIn("COPY outbox_message FROM STDIN", new ByteArrayInputStream(dump.toByteArray()));
        }
        String refusal = refusal(address, STRICT);
        execute(refusal.substring(refusal.indexOf("SELECT setval("), refusal.indexOf(". Or leave")));
        try (Store store = open()) {
            commit(0, "3");
            assertEquals(List.of("1", "2", "3"), publish(store));
        }
    }

    @Test
    void whatWouldBreakItIsRefused() throws Exception {
        execute("INSERT INTO outbox_message (id, topic, partition_no, payload) OVERRIDING SYSTEM VALUE"
                + " VALUES (1000, 'orders', 0, 'restored')");
        String refusal = refusal(address, STRICT);
        int setval = refusal.indexOf("SELECT setval(");
        assertTrue(setval > 0, refusal);
        execute(refusal.substring(setval, refusal.indexOf(". Or leave")));
        execute("ALTER SEQUENCE outbox_message_id_seq CACHE 100");
        assertTrue(refusal(address, STRICT).contains("CACHE 1."), refusal(address, STRICT));
        execute("ALTER SEQUENCE outbox_message_id_seq CACHE 1");
        try (Store store = open()) {
            commit(0, "1");
            assertEquals(List.of("restored", "1"), publish(store));
        }
        String user = "relay_" + address.replaceAll(".*outbox_([0-9a-f]{8}).*", "$1");
        execute(
                "CREATE ROLE " + user + " LOGIN PASSWORD 'x'",
                "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO " + user);
        try {
            String grant = refusal(address, STRICT.withUser(user).withPassword("x"));
            assertTrue(grant.contains("GRANT SELECT ON SEQUENCE public.outbox_message_id_seq TO " + user), grant);
            execute("GRANT SELECT ON SEQUENCE public.outbox_message_id_seq TO " + user);
            commit(0, "2");
            try (Store store = Stores.open(address, STRICT.withUser(user).withPassword("x"))) {
                assertEquals(List.of("2"), publish(store));
            }
        } finally {
            execute("DROP OWNED BY " + user, "DROP ROLE " + user);
        }
        assertTrue(refusal("jdbc:h2:mem:strict;DB_CLOSE_DELAY=-1", STRICT).contains("only PostgreSQL"));
        assertTrue(refusal(address, STRICT.with("strictOrder", "yes")).contains("true or false"));
    }

    /** The read stops at the end of what may be handed out, and does not look at what is held back. */
    @Test
    void heldBackMessagesAreNotRead() throws Exception {
        try (Connection open = begin(address)) {
            write(open, 0, "held back");
            execute("INSERT INTO outbox_message (topic, partition_no, payload)"
                    + " SELECT 'orders', n % 2, '' FROM generate_series(1, 20000) n");
            execute("ANALYZE outbox_message");
            long before = entriesRead();
            try (Store store = open()) {
                for (int i = 0; i < 20; i++) {
                    publish(store, 100);
                }
            }
            awaitNobody();
            long read = entriesRead() - before;
            assertTrue(read < 1_000, read + " index entries read in front of 20,000 messages");
        }
    }

    @Test
    void aPreparedTransactionIsOpen() throws Exception {
        try (PostgresServer server = PostgresServer.packaged()) {
            String url = server.newDatabase();
            try (Store store = Stores.open(url, STRICT.withCreateSchema(true))) {
                try (Connection writer = begin(url)) {
                    write(writer, 0, "1");
                    commit(url, 0, "2");
                    assertEquals(List.of(), publish(store), "beside an open transaction");
                    execute(writer, "PREPARE TRANSACTION 'first'");
                }
                commit(url, 0, "3");
                assertEquals(List.of(), publish(store), "beside a prepared transaction");
                server.kill();
                server.restart();
                awaitAnswer(store);
                commit(url, 0, "4");
                assertEquals(List.of(), publish(store), "beside a prepared transaction, on the server started again");
                try (Connection connection = DriverManager.getConnection(url)) {
                    execute(connection, "COMMIT PREPARED 'first'");
                }
                assertEquals(List.of("1", "2", "3", "4"), publish(store));
            }
        }
    }

    private static void awaitAnswer(Store store) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(90);
        while (true) {
            try {
                store.checkout(Set.of(TOPIC), 1).close();
                return;
            } catch (StoreException e) {
                assertTrue(System.nanoTime() < deadline, "no answer within 90 s: " + e);
                LockSupport.parkNanos(10_000_000);
            }
        }
    }

    /** Writers that overlap in every way; the rows of each partition come in the order of their numbers. */
    @Test
    void underContentionPositionsOnlyRise() throws Exception {
        int writers = 4;
        int each = 120;
        ExecutorService threads = Executors.newCachedThreadPool();
        List<List<Long>> came = List.of(new ArrayList<>(), new ArrayList<>());
        try (Store one = open();
                Store two = open()) {
            List<CompletableFuture<Integer>> writing = IntStream.range(0, writers)
                    .mapToObj(n -> CompletableFuture.supplyAsync(() -> writeSome(n, each), threads))
                    .toList();
            List<CompletableFuture<Void>> publishing = new ArrayList<>();
            for (Store store : List.of(one, two)) {
                publishing.add(CompletableFuture.runAsync(
                        () -> {
                            int idle = 0;
                            while (idle < 2) {
                                boolean written = writing.stream().allMatch(CompletableFuture::isDone);
                                boolean found = note(store, came);
                                idle = written && !found ? idle + 1 : 0;
                            }
                        },
                        threads));
            }
            int committed = 0;
            for (CompletableFuture<Integer> writer : writing) {
                committed += writer.get(100, TimeUnit.SECONDS);
            }
            for (CompletableFuture<Void> publisher : publishing) {
                publisher.get(100, TimeUnit.SECONDS);
            }
            note(one, came); // what another store held when it ended
            for (List<Long> ids : came) {
                assertEquals(ids.stream().sorted().toList(), ids, "rows in the order they came");
            }
            assertEquals(committed, came.get(0).size() + came.get(1).size(), "messages");
            assertTrue(committed > writers * each, committed + " messages");
        } finally {
            threads.shutdownNow();
        }
    }

    private static boolean note(Store store, List<List<Long>> came) {
        try (MessageBatch batch = store.checkout(Set.of(TOPIC), 7)) {
            for (PersistedMessage message : batch.messages()) {
                List<Long> ids = came.get(message.partition());
                synchronized (ids) {
                    ids.add(Long.parseLong(String.valueOf(message.key())));
                }
                batch.markPublished(message, null);
            }
            return !batch.messages().isEmpty();
        }
    }

    private int writeSome(int number, int transactions) {
        Random random = new Random(number);
        int committed = 0;
        try (Connection writer = begin(address)) {
            for (int i = 0; i < transactions; i++) {
                if (random.nextBoolean()) {
                    business(writer);
                }
                int messages = 1 + random.nextInt(3);
                for (int m = 0; m < messages; m++) {
                    write(writer, random.nextInt(2), "m");
                    execute(writer, "UPDATE outbox_message SET message_key = id WHERE id = lastval()");
                    if (random.nextInt(4) == 0) {
                        business(writer); // gives others time to overtake
                    }
                }
                if (random.nextInt(8) == 0) {
                    writer.rollback();
                } else {
                    writer.commit();
                    committed += messages;
                }
            }
            return committed;
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    private Store open() {
        return Stores.open(address, STRICT);
    }

    private static String refusal(String url, StoreOptions options) {
        return String.valueOf(assertThrows(ConfigurationException.class, () -> Stores.open(url, options))
                .getMessage());
    }

    private static Connection begin(String url) throws SQLException {
        Connection connection = DriverManager.getConnection(url);
        connection.setAutoCommit(false);
        return connection;
    }

    private static void write(Connection connection, int partition, String text) {
        JdbcOutbox.persist(connection)
                .persist(new OutgoingMessage(TOPIC, partition, null, Map.of(), text.getBytes(StandardCharsets.UTF_8)));
    }

    private static void business(Connection connection) throws SQLException {
        execute(connection, "INSERT INTO business DEFAULT VALUES");
    }

    private void commit(int partition, String... texts) throws SQLException {
        commit(address, partition, texts);
    }

    private static void commit(String url, int partition, String... texts) throws SQLException {
        try (Connection connection = begin(url)) {
            for (String text : texts) {
                write(connection, partition, text);
            }
            connection.commit();
        }
    }

    private static List<String> publish(Store store) {
        return publish(store, 100);
    }

    private static List<String> publish(Store store, int limit) {
        return StoreTest.publishAll(store, limit);
    }

    private void execute(String... statements) throws SQLException {
        try (Connection connection = DriverManager.getConnection(address)) {
            for (String sql : statements) {
                execute(connection, sql);
            }
        }
    }

    private static void execute(Connection connection, String sql) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(sql);
        }
    }

    private long entriesRead() throws SQLException {
        return ask("SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname = 'outbox_message'");
    }

    /** Connections report what they have read when they end. */
    private void awaitNobody() throws SQLException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(90);
        while (ask("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'outbox'"
                        + " AND datname = current_database()")
                > 0) {
            assertTrue(System.nanoTime() < deadline, "the store's connections do not end");
            LockSupport.parkNanos(10_000_000);
        }
    }

    private long ask(String sql) throws SQLException {
        try (Connection connection = DriverManager.getConnection(address);
                ResultSet row = connection.createStatement().executeQuery(sql)) {
            row.next();
            return row.getLong(1);
        }
    }
}
