package dev.outbox.store.jooq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.ConfigurationException;
import dev.outbox.MessageBatch;
import dev.outbox.MessageRejectedException;
import dev.outbox.Operations;
import dev.outbox.OutgoingMessage;
import dev.outbox.PersistFunc;
import dev.outbox.PersistedMessage;
import dev.outbox.Store;
import dev.outbox.StoreException;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.store.jooq.internal.connection.BorrowedConnection;
import dev.outbox.store.jooq.internal.connection.Connections;
import dev.outbox.store.jooq.internal.dialect.Dialect;
import dev.outbox.store.jooq.internal.dialect.Dialects;
import dev.outbox.store.jooq.internal.partition.HeldPartition;
import dev.outbox.store.jooq.internal.partition.Partition;
import dev.outbox.tck.StoreHarness;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.jooq.SQLDialect;
import org.junit.jupiter.api.Test;

/** What the store promises beyond the contract, on MySQL and MariaDB. */
abstract class MySqlFamilyTest extends StoreTest {
    private static final int PARTITIONS = 4;

    /** Messages of each writer, however slow the machine is. */
    private static final int LEAST_WRITTEN = 30;

    private final Dialect dialect;

    MySqlFamilyTest(StoreHarness harness, Dialect dialect) {
        super(harness, dialect);
        this.dialect = dialect;
    }

    /** What was shown and then forgotten is what {@code fault.HistoryTest} sees when it kills a server without a binary log. */
    @Test
    void aServerThatMayForgetWhatItHasShownIsWarnedAbout() throws Exception {
        try (Connection connection = DriverManager.getConnection(address);
                Statement statement = connection.createStatement()) {
            assertNull(dialect.weakDurability(connection), "as the test servers are set up");
            try {
                statement.execute("SET GLOBAL sync_binlog = 0");
                statement.execute("SET GLOBAL innodb_flush_log_at_trx_commit = 2");
                String warning = String.valueOf(dialect.weakDurability(connection));
                assertTrue(
                        warning.startsWith("sync_binlog is 0, innodb_flush_log_at_trx_commit is 2, so the server"),
                        warning);
            } finally {
                statement.execute("SET GLOBAL sync_binlog = 1");
                statement.execute("SET GLOBAL innodb_flush_log_at_trx_commit = 1");
            }
        }
    }

    /** Each writer has a partition of its own, so that the order of its commits is the order there. */
    @Test
    void relaysAndWritersNeverMeetInADeadlock() throws Exception {
        long end = System.nanoTime() + Duration.ofSeconds(5).toNanos();
        AtomicInteger written = new AtomicInteger();
        AtomicBoolean writing = new AtomicBoolean(true);
        Collection<String> published = new ConcurrentLinkedQueue<>();
        ExecutorService threads = Executors.newFixedThreadPool(PARTITIONS + 2);
        try (Store one = Stores.open(address);
                Store two = Stores.open(address)) {
            List<CompletableFuture<Void>> writers = new ArrayList<>();
            for (int partition = 0; partition < PARTITIONS; partition++) {
                int mine = partition;
                writers.add(CompletableFuture.runAsync(() -> write(mine, end, written), threads));
            }
            List<CompletableFuture<Void>> relays = new ArrayList<>();
            for (Store store : List.of(one, two)) {
                relays.add(CompletableFuture.runAsync(
                        () -> {
                            boolean more = true;
                            while (more) {
                                boolean last = !writing.get();
                                more = relay(store, published) || !last;
                            }
                        },
                        threads));
            }
            writers.forEach(CompletableFuture::join);
            writing.set(false);
            relays.forEach(CompletableFuture::join);
            relay(one, published); // what the other held when this one looked last
        } finally {
            threads.shutdownNow();
        }
        assertEquals(written.get(), published.size(), "messages published");
        assertEquals(written.get(), new HashSet<>(published).size(), "different messages published");
        Map<String, Integer> last = new HashMap<>();
        for (String text : published) {
            String partition = text.substring(0, 1);
            int number = Integer.parseInt(text.substring(2));
            assertEquals(last.getOrDefault(partition, -1) + 1, number, "next of partition " + partition);
            last.put(partition, number);
        }
    }

    private void write(int partition, long end, AtomicInteger written) {
        try (Connection connection = DriverManager.getConnection(address)) {
            connection.setAutoCommit(false);
            int number = 0;
            while (System.nanoTime() - end < 0 || number < LEAST_WRITTEN) {
                for (int i = 0; i < 3; i++) {
                    JdbcOutbox.persist(connection).persist(message(partition, partition + " " + number++));
                    written.incrementAndGet();
                }
                connection.commit();
            }
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Notes the messages while it holds their partitions, so that what is noted is in the order of the holds. */
    private static boolean relay(Store store, Collection<String> published) {
        try (MessageBatch batch = store.checkout(Set.of(TOPIC), 20)) {
            for (PersistedMessage message : batch.messages()) {
                published.add(text(message));
                batch.markPublished(message, null);
            }
            return !batch.messages().isEmpty();
        }
    }

    @Test
    void noGapIsLockedWhateverTheServersDefaultIs() throws Exception {
        execute("SET GLOBAL TRANSACTION ISOLATION LEVEL SERIALIZABLE");
        try (Store store = Stores.open(address)) {
            commit(0, "1", "2");
            try (MessageBatch batch = store.checkout(Set.of(TOPIC), 10)) {
                assertEquals(2, batch.messages().size());
                assertEquals(
                        Set.of("READ COMMITTED"),
                        column("SELECT trx_isolation_level FROM information_schema.innodb_trx"));
            }
            Observed source = new Observed(address, true, Connection.TRANSACTION_SERIALIZABLE);
            Connections strict;
            try (Connection connection = source.getConnection()) {
                strict = Connections.of(source, dialect.on(connection));
            }
            try (BorrowedConnection borrowed = strict.borrow();
                    Connection writer = DriverManager.getConnection(address)) {
                borrowed.hold();
                String id = column("SELECT id FROM outbox_partition").iterator().next();
                HeldPartition held =
                        new HeldPartition(new Partition(Integer.parseInt(id), TOPIC, 0), 0, 0, Long.MAX_VALUE);
                held.startReading(10, true);
                assertEquals(
                        1,
                        dialect.take(borrowed.connection(), "", 0, List.of(held), 1)
                                .size());
                dialect.read(borrowed.connection(), List.of(held));
                assertEquals(2, dialect.delete(borrowed.connection(), new long[] {held.rowId(0), held.rowId(1)}));
                writer.createStatement().execute("SET SESSION innodb_lock_wait_timeout = 1");
                dialect.addPartitions(writer, List.of(new Partition(0, TOPIC, 1)));
                writer.setAutoCommit(false);
                for (int partition = 0; partition < 3; partition++) {
                    JdbcOutbox.persist(writer).persist(message(partition, "meanwhile"));
                }
                writer.commit();
            }
        } finally {
            execute("SET GLOBAL TRANSACTION ISOLATION LEVEL REPEATABLE READ");
        }
    }

    private Set<String> column(String query) throws SQLException {
        try (Connection connection = DriverManager.getConnection(address);
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery(query)) {
            Set<String> values = new HashSet<>();
            while (rows.next()) {
                values.add(rows.getString(1));
            }
            return values;
        }
    }

    @Test
    void statementsUseTheirIndexesOnSmallTablesAndLarge() throws Exception {
        commit(0, IntStream.range(0, 60).mapToObj(Integer::toString).toArray(String[]::new));
        commit(1, "60");
        try (Store store = Stores.open(address)) {
            publishAll(store, 1);
        }
        execute("ANALYZE TABLE outbox_message");
        for (int round = 0; round < 2; round++) {
            assertPlans();
            StringBuilder rows = new StringBuilder("INSERT INTO outbox_message (topic, partition_no, payload) VALUES ");
            for (int i = 0; i < 5_000; i++) {
                rows.append(i == 0 ? "" : ", ")
                        .append("('orders', ")
                        .append(i % 8)
                        .append(", '')");
            }
            execute(rows.toString(), rows.toString(), "ANALYZE TABLE outbox_message");
        }
        try (Connection connection = DriverManager.getConnection(address)) {
            String plan = explain(connection, dialect.discovery(List.of(TOPIC, "none")));
            assertTrue(plan.contains("Using index for group-by"), plan);
        }
    }

    @Test
    void roundTripsAreAccountedFor() throws Exception {
        RoundTrips roundTrips = new RoundTrips(address + "&rewriteBatchedStatements=true", "SELECT DISTINCT");
        // take and read, delete and commit; in pools of others these are sent one by one, auto-commit is switched off
        // and on, and the isolation level is set
        roundTrips.ofABatch(2, 7);
        roundTrips.ofABatchWithRoom(2);
        // MySQL's driver asks first whether the transaction may write
        roundTrips.ofPersisting(dialect.product().equals("MySQL") ? 2 : 1);
        roundTrips.ofAnIdlePoll();
        roundTrips.ofAPart();
    }

    private void assertPlans() throws Exception {
        Observed pool = new Observed(address, true, Connection.TRANSACTION_READ_COMMITTED);
        try (Connection connection = DriverManager.getConnection(address);
                Connection observed = pool.getConnection()) {
            HeldPartition held = new HeldPartition(new Partition(1, TOPIC, 0), 0, 0, Long.MAX_VALUE);
            held.startReading(10, true);
            observed.setAutoCommit(false);
            HeldPartition other = new HeldPartition(new Partition(2, TOPIC, 1), 0, 0, Long.MAX_VALUE);
            dialect.take(observed, "", 0, List.of(held, other), 2);
            dialect.read(observed, List.of(held));
            dialect.delete(observed, LongStream.rangeClosed(1, 58).toArray()); // nearly all of a small table
            observed.rollback();
            assertEquals(3, pool.sent.size(), pool.sent.toString());
            String take = explain(connection, numbered(pool.sent.get(0)));
            assertTrue(take.contains("p eq_ref PRIMARY "), take);
            String read = explain(
                    connection,
                    pool.sent
                            .get(1)
                            .replace("topic = ?", "topic = 'orders'")
                            .replace("partition_no = ?", "partition_no = 0")
                            .replace("?", "1"));
            assertTrue(read.contains(" outbox_message_order ") && !read.contains("filesort"), read);
            String delete = explain(connection, pool.sent.get(2));
            assertTrue(delete.contains("m eq_ref PRIMARY ") || delete.contains("m range PRIMARY "), delete);
        }
    }

    /** Whoever opens a connection, its driver or an init statement decides how the texts of its statements are compared. */
    @Test
    void noCollationOfAConnectionMakesStatementsReadTheBacklog() throws Exception {
        StringBuilder rows = new StringBuilder("INSERT INTO outbox_message (topic, partition_no, payload) VALUES ");
        for (int i = 0; i < 4_000; i++) {
            rows.append(i == 0 ? "" : ", ").append("('orders', ").append(i % 4).append(", '')");
        }
        execute(rows.toString(), "ANALYZE TABLE outbox_message");
        List<String> names = new ArrayList<>(List.of(
                "utf8mb4 COLLATE utf8mb4_bin",
                "utf8mb4 COLLATE utf8mb4_general_ci",
                "utf8mb4 COLLATE utf8mb4_unicode_ci",
                "utf8mb3 COLLATE utf8mb3_general_ci"));
        if (dialect.product().equals("MySQL")) { // the driver of MariaDB ends a connection in another character set
            names.addAll(List.of("utf8mb4 COLLATE utf8mb4_0900_ai_ci", "latin1 COLLATE latin1_swedish_ci"));
        } else {
            names.add("utf8mb4 COLLATE utf8mb4_uca1400_ai_ci");
        }
        for (String name : names) {
            try (Connection connection = DriverManager.getConnection(address)) {
                connection.createStatement().execute("SET NAMES " + name);
                HeldPartition held = new HeldPartition(new Partition(1, TOPIC, 0), 0, 0, Long.MAX_VALUE);
                held.startReading(3, true);
                assertReads(
                        connection, 10, name + ", reading a partition", () -> dialect.read(connection, List.of(held)));
                assertEquals(3, held.messages.size());
                HeldPartition one = new HeldPartition(new Partition(1, TOPIC, 0), 0, 0, Long.MAX_VALUE);
                HeldPartition other = new HeldPartition(new Partition(2, TOPIC, 1), 0, 0, Long.MAX_VALUE);
                one.startReading(3, false);
                other.startReading(3, false);
                assertReads(
                        connection, 40, name + ", reading two", () -> dialect.read(connection, List.of(one, other)));
                assertEquals(6, one.messages.size() + other.messages.size());
                assertTrue(one.hasMore && other.hasMore);
                assertReads(connection, 60, name + ", looking for partitions", () -> {
                    try (ResultSet found =
                            connection.createStatement().executeQuery(dialect.discovery(List.of(TOPIC, "none")))) {
                        for (int i = 0; i < 4; i++) {
                            assertTrue(found.next());
                        }
                    }
                });
            }
        }
    }

    /** A hundred topics of 256 partitions, with four messages each: looking for partitions reads the index at most. */
    @Test
    void manyTopicsAreFoundInTheIndex() throws Exception {
        for (int part = 0; part < 4; part++) {
            StringBuilder rows = new StringBuilder("INSERT INTO outbox_message (topic, partition_no, payload) VALUES ");
            for (int i = 0; i < 25_600; i++) {
                rows.append(i == 0 ? "('topic" : ", ('topic")
                        .append(i % 100)
                        .append("', ")
                        .append(i / 100)
                        .append(", '')");
            }
            execute(rows.toString());
        }
        execute(
                "INSERT INTO outbox_partition (topic, partition_no) SELECT DISTINCT topic, partition_no FROM outbox_message",
                "ANALYZE TABLE outbox_message",
                "ANALYZE TABLE outbox_partition");
        List<String> topics = IntStream.range(0, 100).mapToObj(i -> "topic" + i).toList();
        try (Connection connection = DriverManager.getConnection(address)) {
            String plan = explain(connection, dialect.discovery(topics));
            assertTrue(plan.contains("outbox_message_order") && plan.contains("outbox_partition_name"), plan);
            assertReads(
                    connection,
                    8 * 25_600,
                    "looking for 25,600 partitions",
                    () -> connection
                            .createStatement()
                            .executeQuery(dialect.discovery(topics))
                            .close());
        }
    }

    @Test
    void topicsWithDeadLettersAreFoundInTheIndex() throws Exception {
        for (int part = 0; part < 3; part++) {
            StringBuilder rows = new StringBuilder("INSERT INTO outbox_dead_letter"
                    + " (id, topic, partition_no, payload, attempts, created_at, reason, died_at) VALUES ");
            for (int i = 0; i < 20_000; i++) {
                rows.append(i == 0 ? "(" : ", (")
                        .append(20_000 * part + i + 1)
                        .append(", 'topic")
                        .append(i % 3)
                        .append("', 0, '', 1, utc_timestamp(6), '', utc_timestamp(6))");
            }
            execute(rows.toString());
        }
        execute("ANALYZE TABLE outbox_dead_letter");
        try (Connection connection = DriverManager.getConnection(address)) {
            for (String sql : lookingForTopicsWithDeadLetters()) {
                assertReads(
                        connection,
                        20_020, // the entries that are counted, once more as they are put down in between
                        sql + "\n" + explain(connection, sql),
                        () -> connection.createStatement().executeQuery(sql).close());
            }
        }
    }

    @Test
    void pagesAndMessagesAreFoundInTheIndex() throws Exception {
        StringBuilder rows =
                new StringBuilder("INSERT INTO outbox_message (topic, partition_no, payload, message_id) VALUES ");
        for (int i = 0; i < 20_000; i++) {
            rows.append(i == 0 ? "('topic" : ", ('topic")
                    .append(i % 3)
                    .append("', ")
                    .append(i % 8)
                    .append(", '', '")
                    .append(i)
                    .append("')");
        }
        execute(rows.toString());
        execute("ANALYZE TABLE outbox_message");
        List<String> queries = new ArrayList<>(listing());
        assertEquals(2, queries.size(), queries.toString());
        queries.add(finding());
        try (Connection connection = DriverManager.getConnection(address)) {
            for (String sql : queries) {
                assertReads(
                        connection,
                        12,
                        sql + "\n" + explain(connection, sql),
                        () -> connection.createStatement().executeQuery(sql).close());
            }
        }
    }

    @FunctionalInterface
    private interface SqlAction {
        void run() throws SQLException;
    }

    /** Runs something after which the server has read so many rows at most, of tables and of what it puts down in between. */
    private static void assertReads(Connection connection, int most, String what, SqlAction action) throws Exception {
        try (Statement statement = connection.createStatement()) {
            statement.execute("FLUSH STATUS");
            action.run();
            int read = 0;
            StringBuilder counters = new StringBuilder();
            try (ResultSet rows = statement.executeQuery(
                    "SHOW SESSION STATUS WHERE Variable_name LIKE 'Handler_read%' OR Variable_name = 'Sort_rows'")) {
                while (rows.next()) {
                    read += rows.getInt(2);
                    counters.append(rows.getString(1))
                            .append('=')
                            .append(rows.getInt(2))
                            .append(' ');
                }
            }
            assertTrue(read <= most, what + ": " + counters);
        }
    }

    private static String numbered(String sql) {
        String numbered = sql;
        for (int i = 2; numbered.contains("?"); i++) {
            numbered = numbered.replaceFirst("\\?", "" + i);
        }
        return numbered;
    }

    private static String explain(Connection connection, String sql) throws Exception {
        StringBuilder plan = new StringBuilder();
        try (Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("EXPLAIN " + sql)) {
            while (rows.next()) {
                plan.append(rows.getString("table"))
                        .append(' ')
                        .append(rows.getString("type"))
                        .append(' ')
                        .append(rows.getString("key"))
                        .append(' ')
                        .append(rows.getString("Extra"))
                        .append('\n');
            }
        }
        return plan.toString();
    }

    @Test
    void timesAreUtcWhateverTheTimeZoneOfTheServer() throws Exception {
        Instant before = Instant.now().minusSeconds(60);
        commit(0, "1");
        try (Store store = Stores.open(address);
                MessageBatch batch = store.checkout(Set.of(TOPIC), 1)) {
            Instant createdAt = batch.messages().get(0).createdAt();
            assertTrue(
                    createdAt.isAfter(before)
                            && createdAt.isBefore(Instant.now().plusSeconds(60)),
                    "" + createdAt);
        }
    }

    @Test
    void aDriverThatRewritesBatchesReturnsTheIds() throws Exception {
        idsAreThoseOfTheirMessages("&rewriteBatchedStatements=true");
        idsAreThoseOfTheirMessages("&rewriteBatchedStatements=true&useServerPrepStmts=true");
        idsAreThoseOfTheirMessages("&useBulkStmts=true&useBulkStmtsForInserts=true");
    }

    @Test
    void aPayloadTooLargeForTheServerIsRejectedAndSaysWhy() throws Exception {
        try (Connection connection = DriverManager.getConnection(smallPackets())) {
            connection.setAutoCommit(false);
            OutgoingMessage large = new OutgoingMessage(TOPIC, 0, null, Map.of(), new byte[2 * 1024 * 1024]);
            String text = assertThrows(
                            MessageRejectedException.class,
                            () -> JdbcOutbox.persist(connection).persist(large))
                    .getMessage();
            assertTrue(text != null && text.contains("max_allowed_packet"), text);
        }
    }

    /** Of the server itself, which MariaDB's driver does not know of. */
    @Test
    void aServerWithSmallPacketsRejectsALargePayload() throws Exception {
        execute("SET GLOBAL max_allowed_packet = 1048576");
        try (Connection connection = DriverManager.getConnection(address)) {
            connection.setAutoCommit(false);
            PersistFunc persist = JdbcOutbox.persist(connection);
            OutgoingMessage large = new OutgoingMessage(TOPIC, 0, null, Map.of(), new byte[2 * 1024 * 1024]);
            String text = assertThrows(MessageRejectedException.class, () -> persist.persist(large))
                    .getMessage();
            assertTrue(text.contains("max_allowed_packet") && text.contains("64M"), text);
            // It would fit, if the driver did not escape it.
            OutgoingMessage escaped = new OutgoingMessage(TOPIC, 0, null, Map.of(), new byte[700_000]);
            String longer = assertThrows(MessageRejectedException.class, () -> persist.persist(escaped))
                    .getMessage();
            assertTrue(longer.contains("max_allowed_packet") && longer.contains("64M"), longer);
        } finally {
            execute("SET GLOBAL max_allowed_packet = " + 64 * 1024 * 1024);
        }
    }

    /** A small table is where a statement would rather read, and lock, all of it. */
    @Test
    void deadLettersThatOthersHaveLockedAreNotWaitedFor() throws Exception {
        Observed pool = new Observed(address, true, Connection.TRANSACTION_READ_COMMITTED);
        List<String> ids = buryByHand(10);
        try (Store store = JdbcOutbox.store(pool, StoreOptions.defaults());
                Connection other = DriverManager.getConnection(address);
                Statement statement = other.createStatement()) {
            Operations operations = Operations.of(store);
            other.setAutoCommit(false);
            List<Long> rows = new ArrayList<>();
            try (ResultSet all = statement.executeQuery("SELECT id FROM outbox_dead_letter ORDER BY id")) {
                while (all.next()) {
                    rows.add(all.getLong(1));
                }
            }
            assertEquals(10, rows.size(), "dead letters");
            for (long row : rows.subList(8, 10)) {
                statement
                        .executeQuery("SELECT reason FROM outbox_dead_letter WHERE id = " + row + " FOR UPDATE")
                        .close();
            }
            pool.sent.clear();
            assertEquals(6, atOnce(() -> operations.discard(ids.subList(0, 6))), "discarded");
            assertTrue(
                    pool.sent.stream().noneMatch(sql -> sql.contains("octet_length")),
                    "sizes of what is deleted: " + pool.sent);
            assertEquals(2, atOnce(() -> operations.redrive(ids.subList(6, 8))), "redriven");
            other.rollback();
        }
    }

    private static int atOnce(Supplier<Integer> action) throws Exception {
        return CompletableFuture.supplyAsync(action).get(60, TimeUnit.SECONDS);
    }

    /** The driver's own limit stands for the server's, which it asks for when it connects. */
    private String smallPackets() {
        return address + "&maxAllowedPacket=1048576";
    }

    @Test
    void whatIsSetUpWronglyIsSaidAtOnce() {
        StoreOptions wrong = StoreOptions.defaults().withPassword("s3cr3t");
        H2StoreTest.assertRefused(address, wrong, "user and password");
        H2StoreTest.assertRefused(
                address.replace("password=", "password=s3cr3t"), StoreOptions.defaults(), "user and password");
        H2StoreTest.assertRefused(
                address.replaceFirst("/outbox_[0-9a-f]+", "/nowhere"), StoreOptions.defaults(), "Create the database");
        ConfigurationException refused =
                assertThrows(ConfigurationException.class, () -> JooqOutbox.ddl(SQLDialect.SQLITE));
        for (Dialect supported : Dialects.ALL) {
            assertTrue(String.valueOf(refused.getMessage()).contains(supported.product()), refused.getMessage());
        }
    }

    @Test
    void anUnreachableServerIsAFailureOfTheStore() {
        String nobody = dialect.urlPrefix() + "//127.0.0.1:1/x?user=u&password=s3cr3t";
        for (Throwable t = assertThrows(StoreException.class, () -> Stores.open(nobody)); t != null; t = t.getCause()) {
            assertFalse(t.toString().contains("s3cr3t"), t.toString());
        }
        String inHost = dialect.urlPrefix() + "//u:s3cr3t@127.0.0.1:1/x";
        for (Throwable t = assertThrows(RuntimeException.class, () -> Stores.open(inHost));
                t != null;
                t = t.getCause()) {
            assertFalse(t.toString().contains("s3cr3t"), t.toString());
        }
    }
}
