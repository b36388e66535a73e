package dev.outbox.store.jooq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.outbox.HoldLostException;
import dev.outbox.MessageBatch;
import dev.outbox.Operations;
import dev.outbox.PersistedMessage;
import dev.outbox.Store;
import dev.outbox.StoreException;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.store.jooq.internal.checkout.ReadPositions;
import dev.outbox.store.jooq.internal.checkout.TopicSet;
import dev.outbox.store.jooq.internal.close.JdbcBatch;
import dev.outbox.store.jooq.internal.connection.Connections;
import dev.outbox.store.jooq.internal.dialect.Dialects;
import dev.outbox.store.jooq.internal.dialect.PostgresDialect;
import dev.outbox.store.jooq.internal.partition.ByteBudget;
import dev.outbox.store.jooq.internal.partition.Partition;
import dev.outbox.store.jooq.internal.schema.Schema;
import dev.outbox.store.support.PartitionRotation;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What the store promises beyond the contract, on PostgreSQL. */
@Tag("postgres")
class PostgresStoreTest extends StoreTest {
    PostgresStoreTest() {
        super(new PostgresHarness(), Dialects.POSTGRESQL);
    }

    private Store open() {
        return Stores.open(address);
    }

    private String ask(String sql) throws Exception {
        try (Connection connection = DriverManager.getConnection(address);
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(sql)) {
            StringBuilder answer = new StringBuilder();
            while (rows.next()) {
                answer.append(rows.getString(1)).append('\n');
            }
            return answer.toString().strip();
        }
    }

    private static void await(String what, Callable<Boolean> condition) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(90);
        while (!condition.call()) {
            assertTrue(System.nanoTime() < deadline, "not within 90 s: " + what);
            LockSupport.parkNanos(10_000_000);
        }
    }

    /** The server ends idle transactions, but a batch is one on purpose. */
    @Test
    void limitsOnIdleTransactionsSpareBatches() throws Exception {
        String database = query("SELECT current_database()");
        commit(0, "1", "2");
        execute("ALTER DATABASE \"" + database + "\" SET idle_in_transaction_session_timeout = 100");
        try (Store own = new PostgresHarness().open(address);
                Connection idle = DriverManager.getConnection(address)) {
            Store application = JdbcOutbox.store(
                    new Observed(address, true, Connection.TRANSACTION_READ_COMMITTED), StoreOptions.defaults());
            try (MessageBatch first = own.checkout(Set.of(TOPIC), 1)) {
                idle.setAutoCommit(false);
                awaitEndOfIdle(idle);
                first.markPublished(first.messages().get(0), null);
            }
            try (MessageBatch second = application.checkout(Set.of(TOPIC), 1);
                    Connection again = DriverManager.getConnection(address)) {
                again.setAutoCommit(false);
                awaitEndOfIdle(again);
                second.markPublished(second.messages().get(0), null);
            }
            assertEquals(List.of(), publishAll(own, 10));
            application.close();
        } finally {
            execute("ALTER DATABASE \"" + database + "\" RESET idle_in_transaction_session_timeout");
        }
    }

    private void awaitEndOfIdle(Connection idle) throws Exception {
        try (ResultSet row = idle.createStatement().executeQuery("SELECT pg_backend_pid()")) {
            row.next();
            String others = "SELECT count(*) FROM pg_stat_activity WHERE pid = " + row.getInt(1);
            await("another idle transaction to be ended", () -> query(others).equals("0"));
        }
    }

    @Test
    void aConnectionOfTheApplicationIsCleanAfterACommitThatFailed() throws Exception {
        commit(0, "1");
        Observed pool = new Observed(address, true, Connection.TRANSACTION_READ_COMMITTED);
        try (Store store = JdbcOutbox.store(pool, StoreOptions.defaults())) {
            execute(
                    "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'refused'; END $$",
                    "CREATE CONSTRAINT TRIGGER refuse AFTER DELETE ON outbox_message"
                            + " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()");
            MessageBatch batch = store.checkout(Set.of(TOPIC), 1);
            batch.markPublished(batch.messages().get(0), null);
            assertThrows(StoreException.class, batch::close);
            assertEquals(
                    "true " + Connection.TRANSACTION_READ_COMMITTED,
                    pool.returned.get(pool.returned.size() - 1),
                    "autoCommit and isolation of what came back");
            execute("DROP TRIGGER refuse ON outbox_message");
            assertEquals(List.of("1"), publishAll(store, 1));
        }
    }

    /** The settings that make a plan good for any table are not those of the application's connections. */
    @Test
    void noPlanOfASearchIsKeptOnAConnectionOfTheApplication() throws Exception {
        HikariConfig config = new HikariConfig();
        config.setJdbcUrl(address);
        config.setMaximumPoolSize(1);
        try (HikariDataSource pool = new HikariDataSource(config);
                Store store = JdbcOutbox.store(pool, StoreOptions.defaults())) {
            for (int poll = 0; poll < 20; poll++) {
                assertEquals(List.of(), publishAll(store, 10));
            }
            try (Connection same = pool.getConnection();
                    ResultSet kept = same.createStatement()
                            .executeQuery("SELECT statement FROM pg_prepared_statements"
                                    + " WHERE statement LIKE 'WITH RECURSIVE%'")) {
                assertFalse(kept.next(), "a plan is kept");
            }
        }
    }

    private String query(String sql) throws Exception {
        try (Connection connection = DriverManager.getConnection(address);
                ResultSet row = connection.createStatement().executeQuery(sql)) {
            row.next();
            return row.getString(1);
        }
    }

    @Test
    void aKilledConnectionTakesItsHoldWithIt() throws Exception {
        commit(0, "1", "2");
        try (Store store = open()) {
            MessageBatch batch = store.checkout(Set.of(TOPIC), 10);
            long start = System.nanoTime();
            batch.messages().forEach(m -> batch.markPublished(m, null));
            ask("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'");
            await(
                    "the end of the lock",
                    () -> ask("SELECT 1 FROM pg_locks WHERE locktype = 'advisory'")
                            .isEmpty());
            await("a batch that took its time", () -> System.nanoTime() - start > JdbcBatch.SHORT_NANOS);
            assertThrows(HoldLostException.class, batch::close);
            batch.close();
            assertEquals(List.of("1", "2"), publishAll(store, 10));
        }
    }

    @Test
    void anOpenBatchHindersNoVacuum() throws Exception {
        execute("CREATE TABLE other AS SELECT x FROM generate_series(1, 1000) x");
        for (int partition = 0; partition < 3; partition++) {
            commit(partition, "1", "2");
        }
        try (Store store = open()) {
            publishAll(store, 1); // partitions are known from here on, and batches begin without looking for them
            // one full batch, and one that looked for more within its transaction
            for (int limit : new int[] {2, 100}) {
                try (MessageBatch batch = store.checkout(Set.of(TOPIC), limit)) {
                    assertFalse(batch.messages().isEmpty());
                    await(
                            "an idle transaction without an id and without a snapshot, except for signs of life",
                            () -> ask("SELECT concat(a.state, ' ', coalesce(a.backend_xid::text, 'null'), ' ',"
                                            + " coalesce(a.backend_xmin::text, 'null')) FROM pg_stat_activity a"
                                            + " JOIN pg_locks l ON l.pid = a.pid AND l.locktype = 'advisory' LIMIT 1")
                                    .equals("idle in transaction null null"));
                    execute("DELETE FROM other WHERE x IN (SELECT x FROM other LIMIT 100)");
                    await("all dead rows to be cleaned up", () -> {
                        execute("VACUUM other");
                        return ask("SELECT relallvisible = relpages FROM pg_class WHERE relname = 'other'")
                                .equals("t");
                    });
                }
            }
        }
    }

    /** The last that it does in vain is to try partitions that the other holds. */
    @Test
    void anOpenBatchBesideAnotherKeepsNoSnapshot() throws Exception {
        for (int partition = 0; partition < 4; partition++) {
            commit(partition, "1", "2");
        }
        try (Store other = open();
                Store store = open()) {
            publishAll(store, 1);
            publishAll(other, 1);
            try (MessageBatch some = other.checkout(Set.of(TOPIC), 2);
                    MessageBatch all = store.checkout(Set.of(TOPIC), 100)) {
                assertFalse(some.messages().isEmpty() || all.messages().isEmpty());
                for (int i = 0; i < 5; i++) {
                    try (MessageBatch none = other.checkout(Set.of(TOPIC), 100)) {
                        assertEquals(List.of(), texts(none));
                    }
                    await(
                            "two idle transactions without ids and without snapshots, except for signs of life",
                            () -> ask("SELECT concat(count(*), ' ', count(a.backend_xid), ' ', count(a.backend_xmin))"
                                            + " FROM pg_stat_activity a WHERE a.pid IN (SELECT l.pid FROM pg_locks l"
                                            + " WHERE l.locktype = 'advisory') AND a.state = 'idle in transaction'")
                                    .equals("2 0 0"));
                }
            }
        }
    }

    @Test
    void twoOutboxesInOneDatabaseNeverMeet() throws Exception {
        execute("CREATE SCHEMA a", "CREATE SCHEMA b");
        String first = address + "&currentSchema=a";
        String second = address + "&currentSchema=b";
        StoreOptions create = StoreOptions.defaults().withCreateSchema(true);
        try (Store a = Stores.open(first, create);
                Store b = Stores.open(second, create)) {
            for (String url : List.of(first, second)) {
                try (Connection connection = DriverManager.getConnection(url)) {
                    connection.setAutoCommit(false);
                    JdbcOutbox.persist(connection).persist(message(0, url));
                    connection.commit();
                }
            }
            try (MessageBatch batch = a.checkout(Set.of(TOPIC), 10)) {
                assertEquals(List.of(first), texts(batch));
                assertEquals(
                        List.of(second), publishAll(b, 10), "beside an open batch of a partition of the same row id");
            }
        }
    }

    /** Plans are made early and kept: on empty tables, and on statistics of one topic alone. */
    @Test
    void plansMadeOnEmptyTablesDoNotScanABacklog() throws Exception {
        long scans;
        long read;
        try (Store store = Stores.open(address)) {
            for (int i = 0; i < 12; i++) {
                commit(0, "early " + i);
                assertEquals(1, publishAll(store, 10).size());
                execute("VACUUM ANALYZE outbox_message");
            }
            execute("INSERT INTO outbox_message (topic, partition_no, payload)"
                    + " SELECT 'other', 0, '' FROM generate_series(1, 40000)");
            execute("ANALYZE outbox_message");
            scans = Long.parseLong(ask("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'outbox_message'"));
            read = indexEntriesRead();
            String[] texts = new String[200];
            Arrays.setAll(texts, i -> "late " + i);
            commit(0, Arrays.copyOf(texts, 100)); // one partition is read by itself at first, then several together
            publishAll(store, 20);
            commit(1, Arrays.copyOfRange(texts, 100, 150));
            commit(2, Arrays.copyOfRange(texts, 150, 200));
            int published = 20;
            while (published < texts.length) {
                published += publishAll(store, 20).size();
            }
        }
        await(
                "the counters of the connections",
                () -> ask("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'outbox'")
                        .equals("0"));
        assertEquals(
                scans,
                Long.parseLong(ask("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'outbox_message'")),
                "scans of the whole table");
        long entries = indexEntriesRead() - read;
        assertTrue(entries < 3_000, entries + " index entries read for 200 messages beside 40,000 others");
    }

    @Test
    void timesComeBackToTheMicrosecond() throws Exception {
        List<String> times =
                List.of("1969-12-31T23:59:59.999999Z", "2026-02-28T12:00:00.123457Z", "2242-01-01T00:00:00.000001Z");
        commit(0, "1", "2", "3", "4");
        for (int i = 0; i < times.size(); i++) {
            execute("UPDATE outbox_message SET created_at = '" + times.get(i) + "' WHERE payload = '" + (i + 1) + "'");
        }
        execute("UPDATE outbox_message SET created_at = 'infinity' WHERE payload = '4'");
        try (Store store = open();
                MessageBatch batch = store.checkout(Set.of(TOPIC), 10)) {
            assertEquals(
                    Stream.concat(times.stream().map(Instant::parse), Stream.of(Instant.MAX))
                            .toList(),
                    batch.messages().stream().map(PersistedMessage::createdAt).toList());
        }
    }

    @Test
    void aDriverThatRewritesBatchesReturnsTheIds() throws Exception {
        idsAreThoseOfTheirMessages("&reWriteBatchedInserts=true");
    }

    @Test
    void roundTripsAreAccountedFor() throws Exception {
        RoundTrips roundTrips = new RoundTrips(address + "&prepareThreshold=0", "WITH RECURSIVE head");
        roundTrips.ofABatch(
                2, 4); // take and read, delete and commit, which are two in pools of others, and set up before
        roundTrips.ofABatchWithRoom(2);
        roundTrips.ofPersisting(1);
        roundTrips.ofAnIdlePoll();
        roundTrips.ofAPart();
    }

    /** Ten times the messages, the same reading: partitions cost, and what is counted of each. */
    @Test
    void theBacklogIsNotCountedToTheEnd() throws Exception {
        execute(
                "INSERT INTO outbox_message (topic, partition_no, payload)"
                        + " SELECT 'topic' || x % 3, x % 4, '' FROM generate_series(1, 300000) x",
                "VACUUM ANALYZE outbox_message");
        try (Store store = Stores.open(address)) {
            assertEquals(12, Operations.of(store).backlog().size());
            assertEquals(
                    List.of(10_000L),
                    Operations.of(store).backlog().stream()
                            .map(Operations.Backlog::pending)
                            .distinct()
                            .toList());
        }
        String plan = explain(PostgresDialect.BACKLOG);
        Matcher rows = Pattern.compile("outbox_message_order.*actual rows=(\\d+)(?:\\.\\d+)? loops=(\\d+)")
                .matcher(plan);
        long read = 0;
        while (rows.find()) {
            read += Long.parseLong(rows.group(1)) * Long.parseLong(rows.group(2));
        }
        assertTrue(read >= 120_000 && read < 121_000, read + " index entries read:\n" + plan);
        assertFalse(plan.contains("Seq Scan on outbox_message"), plan);
    }

    /** A batch that moves messages draws ids, and nobody may read past them before it has committed. */
    @Test
    void aMoveThatIsUnderWayIsAWriter() throws Exception {
        commit(0, "moves");
        try (Store store = open();
                Connection blocking = DriverManager.getConnection(address);
                Connection asking = DriverManager.getConnection(address)) {
            int lockKey = Schema.lockKey(asking, Dialects.POSTGRESQL);
            blocking.setAutoCommit(false);
            blocking.createStatement().execute("SELECT id FROM outbox_message FOR UPDATE");
            FutureTask<Integer> move =
                    new FutureTask<>(() -> Operations.of(store).movePending(TOPIC, "bills", 1, 10));
            new Thread(move, "operator").start();
            await(
                    "the move to wait for the row that it deletes",
                    () -> ask("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
                            .equals("1"));
            assertEquals(
                    1,
                    Objects.requireNonNull(Dialects.POSTGRESQL.writers(asking, lockKey, true))
                            .transactions()
                            .size(),
                    "transactions that write");
            blocking.rollback();
            assertEquals(1, move.get());
            assertEquals(
                    0,
                    Objects.requireNonNull(Dialects.POSTGRESQL.writers(asking, lockKey, true))
                            .transactions()
                            .size(),
                    "transactions that write");
        }
    }

    @Test
    void topicsWithDeadLettersAreFoundInTheIndex() throws Exception {
        execute(
                "INSERT INTO outbox_dead_letter (id, topic, partition_no, payload, attempts, created_at, reason, died_at)"
                        + " SELECT x, 'topic' || x % 3, 0, '', 1, now(), '', now() FROM generate_series(1, 90000) x",
                "VACUUM ANALYZE outbox_dead_letter");
        for (String sql : lookingForTopicsWithDeadLetters()) {
            String plan = explain(sql);
            assertFalse(plan.contains("Seq Scan on outbox") || plan.contains("Sort"), plan);
            Matcher rows = Pattern.compile("outbox_dead_letter_order.*actual rows=(\\d+)")
                    .matcher(plan);
            long read = 0;
            while (rows.find()) {
                read += Long.parseLong(rows.group(1));
            }
            assertTrue(read >= 1 && read <= 10_002, read + " index entries read:\n" + plan);
        }
    }

    @Test
    void pagesAndMessagesAreFoundInTheIndex() throws Exception {
        execute(
                "INSERT INTO outbox_message (topic, partition_no, payload, message_id)"
                        + " SELECT 'topic' || x % 3, x % 8, '', gen_random_uuid() FROM generate_series(1, 60000) x",
                "VACUUM ANALYZE outbox_message");
        List<String> queries = new ArrayList<>(listing());
        assertEquals(1, queries.size(), queries.toString());
        queries.add(finding());
        for (String sql : queries) {
            String plan = explain(sql);
            assertFalse(plan.contains("Seq Scan on outbox") || plan.contains("Sort"), plan);
            assertTrue(plan.contains("Index Scan using outbox_message_"), plan);
            assertFalse(plan.contains("Filter"), plan);
        }
    }

    /** A hundred topics of 256 partitions: looking for partitions probes each once, and the others do not scan or sort. */
    @Test
    void plansAreTheSameWithManyTopics() throws Exception {
        execute(
                "INSERT INTO outbox_message (topic, partition_no, payload)"
                        + " SELECT 'topic' || x % 100, x / 100 % 256, '' FROM generate_series(0, 102399) x",
                "INSERT INTO outbox_partition (topic, partition_no)"
                        + " SELECT DISTINCT topic, partition_no FROM outbox_message",
                "VACUUM ANALYZE outbox_message",
                "VACUUM ANALYZE outbox_partition");
        List<String> topics = IntStream.range(0, 100).mapToObj(i -> "topic" + i).toList();
        String plan = explain(Dialects.POSTGRESQL.discovery(topics));
        Matcher rows = Pattern.compile("outbox_message_order.*actual rows=(\\d+)(?:\\.\\d+)? loops=(\\d+)")
                .matcher(plan);
        long read = 0;
        while (rows.find()) {
            read += Long.parseLong(rows.group(1)) * Long.parseLong(rows.group(2));
        }
        assertTrue(read >= 25_500 && read <= 26_000, read + " index entries read:\n" + plan);
        assertFalse(plan.contains("Seq Scan on outbox") || plan.contains("Sort"), plan);
        long scans = Long.parseLong(ask("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'outbox_message'"));
        try (Store store = open()) {
            for (int i = 0; i < 3; i++) {
                try (MessageBatch batch = store.checkout(Set.copyOf(topics), 1000)) {
                    assertEquals(1000, batch.messages().size());
                    batch.messages().forEach(m -> batch.markPublished(m, null));
                }
            }
        }
        await(
                "the sessions to end and report what they read",
                () -> ask("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'outbox'")
                        .equals("0"));
        assertEquals(
                scans,
                Long.parseLong(ask("SELECT seq_scan FROM pg_stat_user_tables WHERE relname = 'outbox_message'")),
                "scans of the whole table");
    }

    /** As the store has it planned. */
    private String explain(String sql) throws Exception {
        try (Connection connection = DriverManager.getConnection(address)) {
            connection.setAutoCommit(false);
            Dialects.POSTGRESQL.beginTransaction(connection);
            StringBuilder plan = new StringBuilder();
            try (ResultSet rows = connection
                    .createStatement()
                    .executeQuery("EXPLAIN (ANALYZE, TIMING OFF, COSTS OFF, BUFFERS) " + sql)) {
                while (rows.next()) {
                    plan.append(rows.getString(1)).append('\n');
                }
            }
            return plan.toString();
        }
    }

    /**
     * A forgotten transaction keeps all that is settled in the index. Once the hint is in use, a read touches as few pages
     * behind 200,000 dead entries as behind none.
     */
    @Test
    void behindAHintReadsStaySmallWhateverIsDead() throws Exception {
        execute(
                "INSERT INTO outbox_message (topic, partition_no, payload)"
                        + " SELECT 'orders', 0, '' FROM generate_series(1, 210000)",
                "VACUUM ANALYZE outbox_message");
        ReadPositions readPositions = new ReadPositions();
        PartitionRotation<Partition> rotation = new PartitionRotation<>(TopicSet.PACE);
        try (Connection forgotten = DriverManager.getConnection(address);
                Connections connections = connections()) {
            forgotten.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
            forgotten.setAutoCommit(false);
            forgotten.createStatement().execute("SELECT count(*) FROM outbox_schema");
            TopicSet topicSet = topicSet(connections, rotation, readPositions);
            for (int i = 0; i < 200; i++) {
                assertEquals(
                        1000, settle(topicSet, connections, readPositions, 1000).size());
            }
            Partition partition = rotation.nextTurn(1).get(0);
            await("a hint", () -> {
                assertEquals(
                        100, settle(topicSet, connections, readPositions, 100).size());
                return readPositions.start(partition, System.nanoTime()) > 200_000;
            });
            long behindHint = pagesRead(partition.id(), readPositions.start(partition, System.nanoTime()));
            long fromStart = pagesRead(partition.id(), 0);
            assertTrue(behindHint < 50, behindHint + " pages read behind the hint");
            assertTrue(fromStart > 500, "not much was dead: " + fromStart + " pages read from the start");
        }
    }

    /** Whatever is known to be settled, partitions with messages behind it are found, and no others. */
    @Test
    void partitionsAreFoundBehindWhatIsSettled() throws Exception {
        execute("INSERT INTO outbox_message (topic, partition_no, payload)"
                + " SELECT 'orders', MOD(n, 5), '' FROM generate_series(1, 50) n");
        long last = Long.parseLong(ask("SELECT max(id) FROM outbox_message"));
        Map<Partition, Long> settled = new HashMap<>(Map.of(
                new Partition(1, "orders", 0),
                last,
                new Partition(2, "orders", 3),
                last - 25, // and more is left of it
                new Partition(3, "orders", 7),
                last,
                new Partition(4, "others", 2),
                last));
        assertEquals(List.of(1, 2, 3, 4), found(settled));
        settled.put(new Partition(5, "orders", 4), last);
        settled.put(new Partition(2, "orders", 3), last);
        assertEquals(List.of(1, 2), found(settled));
        execute(
                "INSERT INTO outbox_message (topic, partition_no, payload) VALUES ('orders', 4, ''), ('orders', 6, '')");
        assertEquals(List.of(1, 2, 4, 6), found(settled));
        assertEquals(List.of(0, 1, 2, 3, 4, 6), found(Map.of()));
    }

    private List<Integer> found(Map<Partition, Long> settled) throws Exception {
        List<Integer> found = new ArrayList<>();
        try (Connection connection = DriverManager.getConnection(address);
                Statement statement = connection.createStatement();
                ResultSet rows =
                        statement.executeQuery(Dialects.POSTGRESQL.discoveryBehind(List.of(TOPIC, "none"), settled))) {
            while (rows.next()) {
                assertEquals(TOPIC, rows.getString(1));
                found.add(rows.getInt(2));
            }
        }
        return found.stream().sorted().toList();
    }

    private long pagesRead(int id, long after) throws Exception {
        String sql = PostgresDialect.READ_ONE.replace(Dialects.POSTGRESQL.endOfRead(), "");
        for (Object value : new Object[] {
            ByteBudget.MOST, id, "'orders'", 0, "'orders'", 0, after, "'orders'", 0, Long.MAX_VALUE, 100
        }) {
            sql = sql.replaceFirst("\\?", "" + value);
        }
        Matcher pages =
                Pattern.compile("Buffers: shared hit=(\\d+)(?: read=(\\d+))?").matcher(explain(sql));
        assertTrue(pages.find());
        return Long.parseLong(pages.group(1)) + (pages.group(2) == null ? 0 : Long.parseLong(pages.group(2)));
    }

    private long indexEntriesRead() throws Exception {
        return Long.parseLong(
                ask("SELECT sum(idx_tup_read) FROM pg_stat_user_indexes WHERE relname = 'outbox_message'"));
    }

    @Test
    void whatIsSetUpWronglyIsSaidAtOnce() {
        StoreOptions wrong = StoreOptions.defaults().withPassword("s3cr3t");
        H2StoreTest.assertRefused(address, wrong, "user and password");
        H2StoreTest.assertRefused(
                address.replace("password=", "password=s3cr3t"), StoreOptions.defaults(), "user and password");
        H2StoreTest.assertRefused(
                address.replaceFirst("/outbox_[0-9a-f]+", "/nowhere"), StoreOptions.defaults(), "Create the database");
        H2StoreTest.assertRefused("jdbc:postgresql://[?password=s3cr3t", StoreOptions.defaults(), "correct it");
    }

    @Test
    void anUnreachableServerIsAFailureOfTheStore() {
        String nobody = "jdbc:postgresql://127.0.0.1:1/x?user=u&password=s3cr3t";
        for (Throwable t = assertThrows(StoreException.class, () -> Stores.open(nobody)); t != null; t = t.getCause()) {
            assertFalse(t.toString().contains("s3cr3t"), t.toString());
        }
    }
}
