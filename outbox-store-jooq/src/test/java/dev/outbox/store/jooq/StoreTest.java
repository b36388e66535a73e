package dev.outbox.store.jooq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.outbox.Browsing;
import dev.outbox.Capability;
import dev.outbox.ConfigurationException;
import dev.outbox.Finding;
import dev.outbox.MessageBatch;
import dev.outbox.MisuseException;
import dev.outbox.Operations;
import dev.outbox.OutboxException;
import dev.outbox.OutgoingMessage;
import dev.outbox.PersistFunc;
import dev.outbox.PersistedMessage;
import dev.outbox.Store;
import dev.outbox.StoreException;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.servers.StandardError;
import dev.outbox.store.jooq.internal.checkout.Checkout;
import dev.outbox.store.jooq.internal.checkout.LowWatermark;
import dev.outbox.store.jooq.internal.checkout.ReadPositions;
import dev.outbox.store.jooq.internal.checkout.TopicSet;
import dev.outbox.store.jooq.internal.close.JdbcBatch;
import dev.outbox.store.jooq.internal.connection.BorrowedConnection;
import dev.outbox.store.jooq.internal.connection.Connections;
import dev.outbox.store.jooq.internal.dialect.Dialect;
import dev.outbox.store.jooq.internal.dialect.LastAnswer;
import dev.outbox.store.jooq.internal.dialect.MySqlDialect;
import dev.outbox.store.jooq.internal.dialect.PostgresDialect;
import dev.outbox.store.jooq.internal.partition.HeldPartition;
import dev.outbox.store.jooq.internal.partition.Partition;
import dev.outbox.store.jooq.internal.schema.DdlScripts;
import dev.outbox.store.jooq.internal.schema.Schema;
import dev.outbox.store.support.PartitionRotation;
import dev.outbox.tck.StoreHarness;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jooq.DSLContext;
import org.jooq.exception.DataAccessException;
import org.jooq.impl.DSL;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What the store promises beyond the contract, on every database. */
@Timeout(300)
abstract class StoreTest {
    static final String TOPIC = "orders";

    private static final String UNKNOWN = "0192f0c1-2a3b-7c4d-8e5f-60718293a4b5";

    private final StoreHarness harness;
    private Dialect dialect;
    String address = "";

    StoreTest(StoreHarness harness, Dialect dialect) {
        this.harness = harness;
        this.dialect = dialect;
    }

    @BeforeEach
    void create() throws Exception {
        address = harness.createOutbox();
        try (Connection connection = DriverManager.getConnection(address)) {
            dialect = dialect.on(connection);
        }
    }

    @AfterEach
    void drop() throws Exception {
        harness.dropOutbox(address);
    }

    static OutgoingMessage message(int partition, String text) {
        return new OutgoingMessage(TOPIC, partition, null, Map.of(), text.getBytes(StandardCharsets.UTF_8));
    }

    void commit(int partition, String... texts) throws Exception {
        try (Connection connection = DriverManager.getConnection(address)) {
            connection.setAutoCommit(false);
            for (String text : texts) {
                JdbcOutbox.persist(connection).persist(message(partition, text));
            }
            connection.commit();
        }
    }

    static List<String> texts(MessageBatch batch) {
        return batch.messages().stream().map(StoreTest::text).toList();
    }

    static String text(PersistedMessage message) {
        return new String(message.payload(), StandardCharsets.UTF_8);
    }

    static List<String> publishAll(Store store, int limit) {
        try (MessageBatch batch = store.checkout(Set.of(TOPIC), limit)) {
            batch.messages().forEach(m -> batch.markPublished(m, null));
            return texts(batch);
        }
    }

    void execute(String... statements) throws Exception {
        try (Connection connection = DriverManager.getConnection(address);
                Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    private void dropTables() throws Exception {
        execute(
                "DROP TABLE outbox_message",
                "DROP TABLE outbox_partition",
                "DROP TABLE outbox_dead_letter",
                "DROP TABLE outbox_schema");
    }

    @Test
    void autoCommitIsRefused() throws Exception {
        try (Connection connection = DriverManager.getConnection(address)) {
            PersistFunc jdbc = JdbcOutbox.persist(connection);
            assertTrue(assertThrows(MisuseException.class, () -> jdbc.persist(message(0, "a")))
                    .getMessage()
                    .contains("auto-commit"));
            assertThrows(MisuseException.class, () -> jdbc.persistAll(List.of(message(0, "a"), message(0, "b"))));
            DSLContext ctx = DSL.using(connection);
            assertThrows(MisuseException.class, () -> JooqOutbox.persist(ctx).persist(message(0, "b")));
        }
        try (Store store = harness.open(address)) {
            assertEquals(List.of(), publishAll(store, 10), "messages of refused calls");
        }
    }

    @Test
    void jooqTransactionsDecide() throws Exception {
        try (Connection connection = DriverManager.getConnection(address);
                Store store = harness.open(address)) {
            DSLContext ctx = DSL.using(connection);
            ctx.transaction(tx -> JooqOutbox.persist(tx).persist(message(0, "configuration")));
            String id = ctx.transactionResult(tx -> JooqOutbox.persist(tx.dsl()).persist(message(0, "context")));
            assertThrows(
                    DataAccessException.class,
                    () -> ctx.transaction(tx -> {
                        JooqOutbox.persist(tx).persist(message(0, "rolled back"));
                        throw new DataAccessException("no");
                    }));
            List<String> ids = ctx.transactionResult(
                    tx -> JooqOutbox.persist(tx).persistAll(List.of(message(0, "both"), message(0, "together"))));
            try (MessageBatch batch = store.checkout(Set.of(TOPIC), 10)) {
                assertEquals(List.of("configuration", "context", "both", "together"), texts(batch));
                assertEquals(id, batch.messages().get(1).id());
                assertEquals(ids.get(1), batch.messages().get(3).id());
            }
        }
    }

    /** Drivers may make one statement of a batch, or a message of the protocol, if they are told to. */
    void idsAreThoseOfTheirMessages(String parameters) throws Exception {
        try (Connection connection = DriverManager.getConnection(address + parameters);
                Store store = harness.open(address)) {
            connection.setAutoCommit(false);
            PersistFunc persist = JdbcOutbox.persist(connection);
            for (int count : new int[] {2, 3, 50, 2}) {
                List<OutgoingMessage> messages = IntStream.range(0, count)
                        .mapToObj(i -> message(0, "message " + i))
                        .toList();
                List<String> ids = persist.persistAll(messages);
                connection.commit();
                try (MessageBatch batch = store.checkout(Set.of(TOPIC), 100)) {
                    assertEquals(
                            ids,
                            batch.messages().stream().map(PersistedMessage::id).toList());
                    assertEquals(
                            IntStream.range(0, count)
                                    .mapToObj(i -> "message " + i)
                                    .toList(),
                            texts(batch));
                    batch.messages().forEach(m -> batch.markPublished(m, null));
                }
            }
        }
    }

    @Test
    void missingTablesAreAnsweredWithTheDdl() throws Exception {
        dropTables();
        String ddl = JdbcOutbox.ddl(Product.database(dialect));
        try (Connection connection = DriverManager.getConnection(address)) {
            connection.setAutoCommit(false);
            PersistFunc persist = JdbcOutbox.persist(connection);
            assertTrue(assertThrows(ConfigurationException.class, () -> persist.persist(message(0, "a")))
                    .getMessage()
                    .contains(ddl));
            connection.rollback();
            List<OutgoingMessage> two = List.of(message(0, "a"), message(0, "b"));
            assertTrue(assertThrows(ConfigurationException.class, () -> persist.persistAll(two))
                    .getMessage()
                    .contains(ddl));
            connection.rollback();
        }
        StoreOptions options = StoreOptions.defaults().withCreateSchema(false);
        String text = assertThrows(ConfigurationException.class, () -> Stores.open(address, options))
                .getMessage();
        assertTrue(text.contains(ddl) && text.contains("createSchema=true"), text);
        Stores.open(address, options.withCreateSchema(true)).close();
        Stores.open(address, options).close();
    }

    @Test
    void theDdlRunByHandIsTheWholeSchema() throws Exception {
        dropTables();
        for (int i = 0; i < 2; i++) {
            execute(DdlScripts.statements(JdbcOutbox.ddl(Product.database(dialect))));
        }
        commit(0, "a");
        try (Store store = Stores.open(address, StoreOptions.defaults().withCreateSchema(false))) {
            assertEquals(List.of("a"), publishAll(store, 10));
        }
        execute("UPDATE outbox_schema SET version = 99");
        assertTrue(assertThrows(ConfigurationException.class, () -> harness.open(address))
                .getMessage()
                .contains("version 99"));
    }

    @Test
    void manyCreateTheSchemaAtOnce() throws Exception {
        dropTables();
        Observed pool = new Observed(address, true, Connection.TRANSACTION_READ_COMMITTED);
        List<CompletableFuture<Void>> all = Stream.generate(
                        () -> CompletableFuture.runAsync(() -> JdbcOutbox.createSchema(pool)))
                .limit(6)
                .toList();
        all.forEach(CompletableFuture::join);
        Stores.open(address, StoreOptions.defaults().withCreateSchema(false)).close();
    }

    @Test
    void connectionsGoBackAsTheyCame() throws Exception {
        Observed pool = new Observed(address, false, Connection.TRANSACTION_SERIALIZABLE);
        try (Store store = JdbcOutbox.store(pool, StoreOptions.defaults())) {
            commit(0, "1", "2");
            try (MessageBatch batch = store.checkout(Set.of(TOPIC), 1)) {
                batch.markFailed(batch.messages().get(0), "no", Duration.ZERO);
            }
            publishAll(store, 10);
            publishAll(store, 10);
            Operations.of(store).backlog();
        }
        assertTrue(pool.returned.size() >= 4, pool.returned.toString());
        assertEquals(Set.of("false " + Connection.TRANSACTION_SERIALIZABLE), Set.copyOf(pool.returned));
    }

    /** As many as the relays have workers, of which the store is not told. */
    @Test
    void aStoreOpenedByUrlHasAConnectionForEveryOpenBatch() throws Exception {
        int batches = 20;
        for (int partition = 0; partition < batches; partition++) {
            commit(partition, "m" + partition);
        }
        List<MessageBatch> open = new ArrayList<>();
        try (Store store = Stores.open(address)) {
            Set<String> texts = new HashSet<>();
            while (texts.size() < batches) {
                MessageBatch batch = store.checkout(Set.of(TOPIC), 1);
                open.add(batch);
                texts.addAll(texts(batch));
            }
            open.forEach(MessageBatch::close);
        }
    }

    @Test
    void theApplicationsPoolMayBeEmptyAndStaysOpen() throws Exception {
        HikariConfig config = new HikariConfig();
        // Which does not know of the time for which the pool waits: connecting may take longer on a busy machine.
        config.setDataSource(new Observed(address, true, Connection.TRANSACTION_READ_COMMITTED));
        config.setMaximumPoolSize(1);
        config.setConnectionTimeout(300);
        commit(0, "1");
        commit(1, "2");
        try (HikariDataSource pool = new HikariDataSource(config)) {
            try (Store store = JdbcOutbox.store(pool, StoreOptions.defaults())) {
                try (MessageBatch batch = store.checkout(Set.of(TOPIC), 1)) {
                    assertEquals(1, batch.messages().size());
                    assertTrue(assertThrows(StoreException.class, () -> store.checkout(Set.of(TOPIC), 1))
                            .getMessage()
                            .contains("pool"));
                }
                assertEquals(2, publishAll(store, 10).size());
            }
            assertFalse(pool.isClosed(), "the application's pool after the store was closed");
            pool.getConnection().close();
        }
    }

    @Test
    void onePartitionPerMessageFillsABatchInFewStatements() throws Exception {
        Observed pool = new Observed(address, true, Connection.TRANSACTION_READ_COMMITTED);
        try (Connection connection = DriverManager.getConnection(address)) {
            connection.setAutoCommit(false);
            for (int partition = 0; partition < 64; partition++) {
                JdbcOutbox.persist(connection).persist(message(partition, "of " + partition));
            }
            connection.commit();
        }
        try (Store store = JdbcOutbox.store(pool, StoreOptions.defaults());
                Store other = JdbcOutbox.store(pool, StoreOptions.defaults())) {
            store.checkout(Set.of(TOPIC), 1).close(); // adds the partitions
            try (MessageBatch held = other.checkout(Set.of(TOPIC), 1)) {
                assertEquals(1, held.messages().size());
                pool.sent.clear();
                assertEquals(63, publishAll(store, 100).size(), "messages in one batch beside another");
                assertTrue(pool.sent.size() <= 15, String.join("\n", pool.sent));
            }
        }
    }

    @Test
    void aBatchIsFilledWhateverTheNumberOfPartitions() throws Exception {
        Observed pool = new Observed(address, true, Connection.TRANSACTION_READ_COMMITTED);
        int written = 0;
        try (Store own = harness.open(address);
                Store applications = JdbcOutbox.store(pool, StoreOptions.defaults());
                Store other = harness.open(address)) {
            for (int n : new int[] {65, 99, 150, 180, 257, 600}) {
                commitOneEach(written, n);
                written = n;
                own.checkout(Set.of(TOPIC), 1).close(); // adds the partitions
                applications.checkout(Set.of(TOPIC), 1).close();
                for (int limit : new int[] {1, 64, 100, 250, 1000}) {
                    assertFilled(own, n, limit);
                    pool.sent.clear();
                    assertFilled(applications, n, limit);
                    int reads = Math.min(Math.min(n, limit), TopicSet.MOST_PARTITIONS) / 50;
                    assertTrue(
                            pool.sent.stream()
                                            .filter(sql -> !sql.startsWith("INSERT"))
                                            .count()
                                    <= 14 + reads,
                            n + " partitions, limit " + limit + ":\n" + String.join("\n", pool.sent));
                }
            }
            try (MessageBatch held = other.checkout(Set.of(TOPIC), 200)) {
                assertEquals(200, held.messages().size());
                for (int limit : new int[] {1, 99, 100, 250, 1000}) {
                    assertFilled(own, 400, limit);
                    assertFilled(applications, 400, limit);
                }
            }
        }
    }

    private void commitOneEach(int from, int to) throws Exception {
        try (Connection connection = DriverManager.getConnection(address)) {
            connection.setAutoCommit(false);
            JdbcOutbox.persist(connection)
                    .persistAll(IntStream.range(from, to)
                            .mapToObj(partition -> message(partition, "of " + partition))
                            .toList());
            connection.commit();
        }
    }

    private static void assertFilled(Store store, int n, int limit) {
        try (MessageBatch batch = store.checkout(Set.of(TOPIC), limit)) {
            assertEquals(
                    Math.min(Math.min(n, limit), TopicSet.MOST_PARTITIONS),
                    partitions(batch).size(),
                    n + " partitions, limit " + limit);
        }
    }

    @Test
    void besideOthersABatchLeavesPartitionsToThem() throws Exception {
        String[] many = IntStream.range(0, 50).mapToObj(i -> "m" + i).toArray(String[]::new);
        for (int partition = 0; partition < 16; partition++) {
            commit(partition, many);
        }
        try (Store one = harness.open(address);
                Store two = harness.open(address)) {
            try (MessageBatch all = one.checkout(Set.of(TOPIC), 16)) {
                assertEquals(16, partitions(all).size(), "alone, all partitions have a place");
                assertEquals(List.of(), texts(two.checkout(Set.of(TOPIC), 16)));
            }
            try (MessageBatch some = two.checkout(Set.of(TOPIC), 16);
                    MessageBatch others = one.checkout(Set.of(TOPIC), 16)) {
                assertEquals(4, partitions(some).size(), "after it met another, the square root");
                assertEquals(16, others.messages().size(), "work for the other");
            }
        }
    }

    private static Set<Integer> partitions(MessageBatch batch) {
        return Set.copyOf(
                batch.messages().stream().map(PersistedMessage::partition).toList());
    }

    /** One key, one transaction after the other: what the second wrote must come second, hint or no hint. */
    @Test
    void aHintNeverPassesATransactionThatIsStillOpen() throws Exception {
        ReadPositions readPositions = new ReadPositions();
        PartitionRotation<Partition> rotation = new PartitionRotation<>(TopicSet.PACE);
        Connections connections = connections();
        TopicSet topicSet = topicSet(connections, rotation, readPositions);
        commit(0, "first");
        assertEquals(List.of("first"), settle(topicSet, connections, readPositions, 1));
        Partition partition = rotation.nextTurn(1).get(0);
        boolean usesHints = dialect instanceof PostgresDialect;
        long deadline = System.nanoTime() + Duration.ofSeconds(90).toNanos();
        int number = 0;
        do {
            pretendSlow(readPositions, partition);
            commit(0, "more " + number++);
            settle(topicSet, connections, readPositions, 1);
            pretendSlow(readPositions, partition);
            assertTrue(System.nanoTime() - deadline < 0, "no hint after 90 s");
        } while (usesHints && readPositions.start(partition, System.nanoTime()) == 0);
        while (!settle(topicSet, connections, readPositions, 100).isEmpty()) {
            pretendSlow(readPositions, partition);
        }

        try (Connection late = DriverManager.getConnection(address)) {
            late.setAutoCommit(false);
            for (int round = 0; round < 20; round++) {
                JdbcOutbox.persist(late).persist(message(0, "A1"));
                commit(0, "B1");
                pretendSlow(readPositions, partition);
                assertEquals(usesHints, readPositions.start(partition, System.nanoTime()) > 0);
                assertEquals(List.of("B1"), settle(topicSet, connections, readPositions, 1));
                late.commit();
                JdbcOutbox.persist(late).persist(message(0, "A2"));
                late.commit();
                pretendSlow(readPositions, partition);
                assertEquals(List.of("A1"), settle(topicSet, connections, readPositions, 1), "round " + round);
                pretendSlow(readPositions, partition);
                assertEquals(List.of("A2"), settle(topicSet, connections, readPositions, 1));
            }
        }
    }

    /** As if many had been settled and reading from the start took long: hints are to be used for the next second. */
    private static void pretendSlow(ReadPositions readPositions, Partition partition) {
        readPositions.settled(partition, Long.MAX_VALUE, 10_000, 0);
        readPositions.readFromStart(partition, 1, Duration.ofSeconds(5).toNanos(), System.nanoTime());
    }

    @Test
    void writersAreSeenUntilTheirOutcomeIs() throws Exception {
        try (Connection asking = DriverManager.getConnection(address);
                Connection writing = DriverManager.getConnection(address)) {
            if (!(dialect instanceof PostgresDialect)) {
                assertNull(dialect.writers(asking, 1, true));
                return;
            }
            writing.setAutoCommit(false);
            assertEquals(Set.of(), writing(asking));
            JdbcOutbox.persist(writing).persist(message(0, "open"));
            Set<String> one = writing(asking);
            assertEquals(1, one.size());
            writing.commit();
            assertEquals(Set.of(), writing(asking));
            JdbcOutbox.persist(writing).persist(message(0, "open"));
            Set<String> another = writing(asking);
            assertEquals(1, another.size());
            assertNotEquals(one, another);
            writing.rollback();
        }
    }

    private Set<String> writing(Connection asking) throws Exception {
        return Objects.requireNonNull(dialect.writers(asking, 1, true)).transactions();
    }

    final Connections connections() {
        return Connections.of(new Observed(address, true, Connection.TRANSACTION_READ_COMMITTED), dialect);
    }

    final TopicSet topicSet(Connections connections, PartitionRotation<Partition> rotation, ReadPositions readPositions)
            throws Exception {
        try (BorrowedConnection borrowed = connections.borrow()) {
            int lockKey = Schema.lockKey(borrowed.connection(), dialect);
            return new TopicSet(
                    dialect,
                    lockKey,
                    List.of(TOPIC),
                    rotation,
                    readPositions,
                    new LowWatermark(dialect, lockKey, false));
        }
    }

    final List<String> settle(TopicSet topicSet, Connections connections, ReadPositions readPositions, int limit)
            throws Exception {
        BorrowedConnection borrowed = connections.borrow();
        List<HeldPartition> held = new Checkout(topicSet, borrowed, limit).run();
        try (MessageBatch batch = new JdbcBatch(dialect, readPositions, held, borrowed, LastAnswer.now(), b -> {})) {
            batch.messages().forEach(m -> batch.markPublished(m, null));
            return texts(batch);
        }
    }

    @Test
    void rowIdsMayComeToMeanSomethingElse() throws Exception {
        try (Store store = harness.open(address)) {
            commit(0, "a", "more");
            commit(1, "b");
            assertEquals(3, publishAll(store, 10).size());
            commit(0, "a", "more");
            commit(1, "b");
            publishAll(store, 1); // and both partitions are known
            truncate();
            commit(1, "in 1");
            commit(0, "in 0");
            // Rows are made anew in the order of another store's discovery, or of this one's: both must be read
            // rightly.
            execute("INSERT INTO outbox_partition (topic, partition_no) VALUES ('orders', 1)");
            execute("INSERT INTO outbox_partition (topic, partition_no) VALUES ('orders', 0)");
            List<String> seen = new ArrayList<>();
            long deadline = System.nanoTime() + Duration.ofSeconds(90).toNanos();
            while (seen.size() < 2 && System.nanoTime() < deadline) {
                try (MessageBatch batch = store.checkout(Set.of(TOPIC), 10)) {
                    for (PersistedMessage m : batch.messages()) {
                        assertEquals("in " + m.partition(), text(m));
                        seen.add(text(m));
                        batch.markPublished(m, null);
                    }
                }
            }
            assertEquals(List.of("in 0", "in 1"), seen.stream().sorted().toList());
        }
    }

    private void truncate() throws Exception {
        for (String table : List.of("outbox_message", "outbox_partition")) {
            execute("TRUNCATE TABLE " + table + (dialect instanceof MySqlDialect ? "" : " RESTART IDENTITY"));
        }
    }

    @Test
    void theRowOfAnotherPartitionHoldsNothing() throws Exception {
        try (Store earlier = harness.open(address);
                Store later = harness.open(address)) {
            commit(0, "0");
            commit(1, "1");
            assertEquals(2, publishAll(earlier, 10).size()); // so it knows their rows
            commit(0, "0");
            commit(1, "1");
            publishAll(earlier, 1);
            truncate();
            execute("INSERT INTO outbox_partition (topic, partition_no) VALUES ('orders', 1)");
            execute("INSERT INTO outbox_partition (topic, partition_no) VALUES ('orders', 0)");
            commit(0, "held");
            try (MessageBatch batch = later.checkout(Set.of(TOPIC), 10)) {
                assertEquals(List.of("held"), texts(batch));
                for (int i = 0; i < 5; i++) {
                    assertEquals(List.of(), publishAll(earlier, 10), "of a partition that is held");
                }
            }
            // It may have a hint that is above what ids are now, until it reads from the start again.
            List<String> seen = new ArrayList<>();
            long deadline = System.nanoTime() + Duration.ofSeconds(90).toNanos();
            while (seen.isEmpty() && System.nanoTime() < deadline) {
                seen.addAll(publishAll(earlier, 10));
            }
            assertEquals(List.of("held"), seen);
        }
    }

    /** By somebody, past the outbox. What was published is not to be published once more for it. */
    @Test
    void aRowThatIsGoneAtCloseUndoesNothing() throws Exception {
        try (Store store = Stores.open(address, StoreOptions.defaults());
                Connection somebody = DriverManager.getConnection(address);
                Statement statement = somebody.createStatement()) {
            for (long age : new long[] {0, JdbcBatch.SHORT_NANOS}) {
                commit(0, "1", "2", "3", "4");
                MessageBatch batch = store.checkout(Set.of(TOPIC), 10);
                long start = System.nanoTime();
                batch.messages().subList(0, 3).forEach(m -> batch.markPublished(m, null));
                statement.execute("DELETE FROM outbox_message WHERE message_id = '"
                        + batch.messages().get(1).id() + "'");
                while (System.nanoTime() - start <= age) {
                    Thread.onSpinWait();
                }
                assertTrue(StandardError.during(batch::close)
                        .contains("Of 3 messages that a batch has settled, 1 were not there any more"));
                assertEquals(List.of("4"), publishAll(store, 10), "what was left after " + age);
            }
            assertEquals(List.of(), publishAll(store, 10), "what was left at the end");
        }
    }

    /** A dead letter that cannot be moved is not one that is done with. */
    @Test
    void rowsThatAreGoneAtCloseUndoNothing() throws Exception {
        try (Store store = Stores.open(address, StoreOptions.defaults());
                Connection somebody = DriverManager.getConnection(address);
                Statement statement = somebody.createStatement()) {
            commit(0, "1", "2", "3", "4");
            MessageBatch batch = store.checkout(Set.of(TOPIC), 10);
            batch.markPublished(batch.messages().get(0), null);
            batch.deadLetter(batch.messages().get(1), "poison");
            batch.markFailed(batch.messages().get(2), "away", Duration.ofHours(1));
            statement.execute("DELETE FROM outbox_message WHERE message_id IN ('"
                    + batch.messages().get(1).id() + "', '"
                    + batch.messages().get(2).id() + "')");
            String said = StandardError.during(batch::close);
            assertTrue(said.contains("was to become a dead letter") && said.contains("changed the tables"), said);
            assertTrue(said.contains("attempt was to be counted"), said);
            assertEquals(List.of("4"), publishAll(store, 10), "what was published is not published again");
            assertEquals(List.of(), Operations.of(store).failingPartitions());
        }
    }

    /** Libraries of before wrote messages whose ids are the numbers of their rows, or of the rows that they first had. */
    @Test
    void aMoveKeepsIdsOfEveryKind() throws Exception {
        try (Store store = Stores.open(address, StoreOptions.defaults())) {
            commit(0, "row", "first row", "id");
            commit(3, "of another partition");
            Map<String, String> drawn = ids(store, TOPIC);
            execute(
                    "UPDATE outbox_message SET message_id = NULL WHERE message_id = '" + drawn.get("row") + "'",
                    "UPDATE outbox_message SET message_id = NULL, original_id = 4711 WHERE message_id = '"
                            + drawn.get("first row") + "'");
            Map<String, String> before = ids(store, TOPIC);
            assertEquals("4711", before.get("first row"));
            assertEquals(4, Operations.of(store).movePending(TOPIC, "bills", 2, 10));
            assertEquals(before, ids(store, "bills"));
            assertEquals(4, Operations.of(store).movePending("bills", TOPIC, 1, 10));
            try (MessageBatch batch = store.checkout(Set.of(TOPIC), 10)) {
                assertEquals(List.of("row", "first row", "id", "of another partition"), texts(batch));
            }
            assertEquals(before, ids(store, TOPIC));
        }
    }

    @Test
    void aMessageOfAnOlderLibraryIsFoundByTheIdThatItIsShownWith() throws Exception {
        commit(0, "row", "first row");
        try (Store store = Stores.open(address, StoreOptions.defaults())) {
            execute(indexForFinding(store));
            Map<String, String> drawn = ids(store, TOPIC);
            execute(
                    "UPDATE outbox_message SET message_id = NULL WHERE message_id = '" + drawn.get("row") + "'",
                    "UPDATE outbox_message SET message_id = NULL, original_id = 4711 WHERE message_id = '"
                            + drawn.get("first row") + "'");
        }
        try (Store store = Stores.open(address, StoreOptions.defaults())) {
            Finding finding = Finding.of(store);
            String number = String.valueOf(ids(store, TOPIC).get("row"));
            assertEquals("row", text(finding.pending(number).orElseThrow().message()));
            String other = ask("SELECT id FROM outbox_message WHERE original_id = 4711");
            assertTrue(finding.pending(other).isEmpty(), "that is the number of a row, and its message has another id");
            assertEquals(2, Operations.of(store).movePending(TOPIC, "bills", 2, 10));
            assertEquals("row", text(finding.pending(number).orElseThrow().message()));
            assertEquals("first row", text(finding.pending("4711").orElseThrow().message()));
        }
    }

    private static Map<String, String> ids(Store store, String topic) {
        try (MessageBatch batch = store.checkout(Set.of(topic), 10)) {
            return batch.messages().stream().collect(Collectors.toMap(StoreTest::text, PersistedMessage::id));
        }
    }

    @Test
    void aFailureQuotesNoPayload() throws Exception {
        execute("DROP TABLE outbox_message");
        try (Connection connection = DriverManager.getConnection(address)) {
            connection.setAutoCommit(false);
            List<OutgoingMessage> messages = List.of(message(0, "confidential"), message(0, "confidential"));
            OutboxException refused = assertThrows(
                    OutboxException.class, () -> JdbcOutbox.persist(connection).persistAll(messages));
            StringWriter stack = new StringWriter();
            refused.printStackTrace(new PrintWriter(stack));
            String bytes = HexFormat.of().formatHex("confidential".getBytes(StandardCharsets.UTF_8));
            assertFalse(stack.toString().contains("confidential"), stack.toString());
            assertFalse(stack.toString().contains(bytes), stack.toString());
        }
    }

    /** Somebody else has written it, or changed it. */
    @Test
    void aRowThatCannotBeReadStopsItsPartitionAlone() throws Exception {
        commit(0, "1", "2", "3");
        for (int partition = 1; partition < 8; partition++) {
            commit(partition, "of " + partition);
        }
        try (Store store = harness.open(address)) {
            Operations operations = Operations.of(store);
            String second;
            try (MessageBatch batch = store.checkout(Set.of(TOPIC), 100)) {
                second = batch.messages().stream()
                        .filter(message -> text(message).equals("2"))
                        .findFirst()
                        .orElseThrow()
                        .id();
            }
            List<String> spoilt =
                    List.of("x", "", "[]", "{\"n\":1}", "{\"n\":null}", "{\"n\":{}}", "{\"n\":\"a\",\"n\":\"b\"}");
            for (String headers : spoilt) {
                execute("UPDATE outbox_message SET headers = '" + headers + "' WHERE message_id = '" + second + "'");
                try (MessageBatch batch = store.checkout(Set.of(TOPIC), 100)) {
                    assertEquals(8, batch.messages().size(), headers);
                }
            }
            assertEquals(8, publishAll(store, 100).size(), "what is before it, and the other partitions");
            assertEquals(List.of(), publishAll(store, 100), "nothing overtakes it");
            Operations.FailingPartition failing = operations.failingPartitions().get(0);
            assertEquals(0, failing.partition());
            assertTrue(
                    failing.reason().contains("headers is not a JSON object")
                            && failing.reason().contains("correct the row"),
                    failing.reason());
            assertTrue(operations.retryNow(TOPIC, 0));
            assertEquals(List.of(), publishAll(store, 100), "it is as it was");
            assertEquals(1, operations.failingPartitions().size());
            commit(1, "later");
            assertEquals(List.of("later"), publishAll(store, 100));
            execute("UPDATE outbox_message SET headers = '{\"n\":\"a\"}' WHERE message_id = '" + second + "'");
            assertTrue(operations.retryNow(TOPIC, 0));
            assertEquals(List.of("2", "3"), publishAll(store, 100));
            assertEquals(List.of(), operations.failingPartitions());
        }
    }

    /** Each is said once, so their number is no reason to leave some out. */
    @Test
    void eachRowThatCannotBeReadHasALine() throws Exception {
        for (int partition = 0; partition < 12; partition++) {
            commit(partition, "1");
        }
        execute("UPDATE outbox_message SET headers = 'x'");
        try (Store store = harness.open(address)) {
            String said = StandardError.during(() -> {
                for (int i = 0; i < 3; i++) {
                    assertEquals(List.of(), publishAll(store, 100));
                }
            });
            for (int partition = 0; partition < 12; partition++) {
                String line = "[OUTBOX-215] Partition " + partition + " of " + TOPIC + ": ";
                assertEquals(2, said.split(Pattern.quote(line), -1).length, line + "\n" + said);
            }
        }
    }

    @Test
    void aDeadLetterThatCannotBeReadIsShownAllTheSame() throws Exception {
        commit(0, "1");
        try (Store store = harness.open(address)) {
            try (MessageBatch batch = store.checkout(Set.of(TOPIC), 1)) {
                batch.deadLetter(batch.messages().get(0), "poison");
            }
            execute("UPDATE outbox_dead_letter SET headers = 'x'");
            var letter = Operations.of(store).deadLetters(TOPIC, null, 10).get(0);
            assertEquals("1", text(letter.message()));
            assertTrue(letter.reason().startsWith("poison") && letter.reason().contains("headers"), letter.reason());
        }
    }

    /** What fails in the middle is where it was, what is before it is done, and the same call completes it. */
    @Test
    void manyDeadLettersAreRedrivenInParts() throws Exception {
        // As many as are counted, and more; on servers that take long for them as many as show the parts.
        int many = dialect instanceof MySqlDialect ? 3_000 : 12_000;
        Observed pool = new Observed(address, true, Connection.TRANSACTION_READ_COMMITTED);
        List<String> ids = new ArrayList<>(buryByHand(many));
        Collections.shuffle(ids, new Random(1));
        execute(
                "UPDATE outbox_dead_letter SET message_key = 'refused' WHERE message_id = '" + ids.get(1_234) + "'",
                "ALTER TABLE outbox_message ADD CONSTRAINT no_such_key"
                        + " CHECK (message_key IS NULL OR message_key <> 'refused')");
        try (Store store = JdbcOutbox.store(pool, StoreOptions.defaults())) {
            Operations operations = Operations.of(store);
            assertEquals(
                    List.of(TOPIC + " " + Math.min(many, 10_000)),
                    operations.deadLetterTopics().stream()
                            .map(topic -> topic.topic() + " " + topic.deadLetters())
                            .toList(),
                    "counted as far as it has to be");
            assertThrows(StoreException.class, () -> operations.redrive(ids));
            assertEquals("1112", ask("SELECT count(*) FROM outbox_message"), "messages of 500, 500, 16, 32 and 64");
            execute("ALTER TABLE outbox_message DROP CONSTRAINT no_such_key");
            pool.sent.clear();
            assertEquals(many - 1_112, operations.redrive(ids), "what the second call found");
            List<Long> sizes = pool.sent.stream()
                    .filter(sql -> sql.contains("octet_length"))
                    .map(sql -> sql.chars().filter(c -> c == '?').count())
                    .toList();
            assertEquals(List.of(16L, 32L, 64L, 128L), sizes.subList(0, 4), "sizes that the first parts ask for");
            assertTrue(sizes.stream().allMatch(asked -> asked <= 500), "sizes that are asked for: " + sizes);
            int parts = Collections.frequency(pool.sent, "COMMIT");
            assertTrue(parts >= (many - 1_112 + 499) / 500, () -> "a transaction for each part: " + parts);
        }
        try (Connection connection = DriverManager.getConnection(address);
                Statement statement = connection.createStatement();
                ResultSet rows = statement.executeQuery("SELECT message_id FROM outbox_message ORDER BY id")) {
            for (String id : ids) {
                assertTrue(rows.next(), "a message " + id);
                assertEquals(id, rows.getString(1), "ids in the order in which they were given");
            }
            assertFalse(rows.next(), "more messages than there were dead letters");
        }
        assertEquals("0", ask("SELECT count(*) FROM outbox_dead_letter"));
    }

    /** Dead letters, in the order in which they died. */
    List<String> buryByHand(int many) throws Exception {
        List<String> ids = new ArrayList<>();
        try (Connection connection = DriverManager.getConnection(address)) {
            connection.setAutoCommit(false);
            for (int i = 0; i < many; i += 1_000) {
                ids.addAll(JdbcOutbox.persist(connection)
                        .persistAll(Stream.generate(() -> message(0, "dead"))
                                .limit(Math.min(1_000, many - i))
                                .toList()));
            }
            connection.commit();
        }
        execute(
                "INSERT INTO outbox_dead_letter (id, message_id, topic, partition_no, payload, attempts, created_at,"
                        + " reason, died_at) SELECT id, message_id, topic, partition_no, payload, 1, created_at,"
                        + " 'poison', created_at FROM outbox_message",
                "DELETE FROM outbox_message");
        return ids;
    }

    /** The statements that find the topics with dead letters, with the name of one that is there. */
    List<String> lookingForTopicsWithDeadLetters() {
        Observed pool = new Observed(address, true, Connection.TRANSACTION_READ_COMMITTED);
        try (Store store = JdbcOutbox.store(pool, StoreOptions.defaults())) {
            pool.sent.clear();
            assertEquals(
                    List.of("topic0 10000", "topic1 10000", "topic2 10000"),
                    Operations.of(store).deadLetterTopics().stream()
                            .map(topic -> topic.topic() + " " + topic.deadLetters())
                            .toList());
        }
        return pool.sent.stream()
                .filter(sql -> sql.contains("outbox_dead_letter"))
                .distinct()
                .map(sql -> sql.replace("?", "'topic1'"))
                .toList();
    }

    /** The statement that a store names when it is asked why it finds no message by its id. */
    static String indexForFinding(Store store) {
        String reason = String.valueOf(store.capabilities().reasonWithout(Capability.FINDING));
        return reason.substring(reason.indexOf("CREATE INDEX"));
    }

    /** What a page of {@code topic1} sends, from the middle of a partition on. */
    List<String> listing() {
        Observed pool = new Observed(address, true, Connection.TRANSACTION_READ_COMMITTED);
        try (Store store = JdbcOutbox.store(pool, StoreOptions.defaults())) {
            pool.sent.clear();
            Browsing.Page page = Browsing.of(store).pending("topic1", null, "0.2147483647.0", 10);
            assertEquals(10, page.messages().size());
        }
        return pool.sent.stream()
                .filter(sql -> sql.contains("FROM outbox_message m") && sql.contains("m.payload"))
                .map(sql -> sql.replace("octet_length(m.payload) <= ?", "octet_length(m.payload) <= 1000"))
                .distinct()
                .map(sql -> {
                    boolean bounds = sql.contains("(m.topic, m.partition_no, m.id) >");
                    List<String> between = bounds
                            ? List.of("3", "500", "'topic1'", "7")
                            : sql.contains("partition_no = ?") ? List.of("3", "500") : List.of("3", "7");
                    String filled = sql.replaceFirst("\\?", "'topic1'");
                    for (String value : between) {
                        filled = filled.replaceFirst("\\?", value);
                    }
                    filled = filled.replaceFirst("\\?", "10");
                    return filled;
                })
                .toList();
    }

    /** The query that finds a message by its id, when there is an index for it. */
    String finding() throws Exception {
        Observed pool = new Observed(address, true, Connection.TRANSACTION_READ_COMMITTED);
        try (Store store = JdbcOutbox.store(pool, StoreOptions.defaults())) {
            execute(indexForFinding(store));
        }
        try (Store store = JdbcOutbox.store(pool, StoreOptions.defaults())) {
            pool.sent.clear();
            assertTrue(Finding.of(store).pending(UNKNOWN).isEmpty());
        }
        return pool.sent.stream()
                .filter(sql -> sql.contains("message_id = ?"))
                .findFirst()
                .orElseThrow()
                .replace("?", "'" + UNKNOWN + "'");
    }

    private String ask(String sql) throws Exception {
        try (Connection connection = DriverManager.getConnection(address);
                Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(sql)) {
            row.next();
            return row.getString(1);
        }
    }

    /** More than are looked at in one transaction, one of them in a batch. */
    @Test
    void theDelaysOfATopicEndInParts() throws Exception {
        try (Store store = harness.open(address)) {
            commitOneEach(0, 1_203);
            while (failAll(store) > 0) {
                // those of the next checkout
            }
            Operations operations = Operations.of(store);
            assertTrue(operations.retryNow(TOPIC, 700));
            try (MessageBatch held = store.checkout(Set.of(TOPIC), 10)) {
                assertEquals(1, held.messages().size(), "the one whose delay has ended");
                assertEquals(1_203, operations.retryNow(TOPIC), "failing partitions, the one that is held included");
            }
            int ready = 0;
            for (int some = 1; some > 0; ready += some) {
                some = publishAll(store, 1_000).size();
            }
            assertEquals(1_203, ready, "messages that came again");
        }
    }

    private static int failAll(Store store) {
        try (MessageBatch batch = store.checkout(Set.of(TOPIC), 1_000)) {
            batch.messages().forEach(m -> batch.markFailed(m, "away", Duration.ofHours(1)));
            return batch.messages().size();
        }
    }

    @Test
    void aFailingPartitionIsListedUntilItsHeadIsSettled() throws Exception {
        try (Store store = harness.open(address)) {
            commit(0, "1", "2", "3");
            try (MessageBatch batch = store.checkout(Set.of(TOPIC), 10)) {
                batch.markFailed(batch.messages().get(0), "away", Duration.ZERO);
                batch.markFailed(batch.messages().get(1), "away", Duration.ZERO);
            }
            try (MessageBatch batch = store.checkout(Set.of(TOPIC), 10)) {
                batch.markPublished(batch.messages().get(2), null); // the head is released
            }
            Operations operations = Operations.of(store);
            assertEquals(1, operations.failingPartitions().size(), "the head was released, and has failed");
            String first = operations.failingPartitions().get(0).messageId();
            assertEquals(List.of("1"), publishAll(store, 1));
            assertEquals(1, operations.failingPartitions().size(), "the next one has failed too");
            assertNotEquals(first, operations.failingPartitions().get(0).messageId());
            assertEquals(List.of("2"), publishAll(store, 1));
            assertEquals(List.of(), operations.failingPartitions());
        }
    }

    /** By hand, past the outbox: then at least what delays the partition is to be seen. */
    @Test
    void aDelayIsSeenThoughItsMessageIsGone() throws Exception {
        try (Store store = harness.open(address)) {
            commit(0, "poison", "2");
            try (MessageBatch batch = store.checkout(Set.of(TOPIC), 1)) {
                batch.markFailed(batch.messages().get(0), "away", Duration.ofDays(1));
            }
            execute("DELETE FROM outbox_message WHERE attempts = 1");
            assertEquals(List.of(), publishAll(store, 10));
            Operations operations = Operations.of(store);
            assertEquals("away", operations.failingPartitions().get(0).reason());
            assertTrue(operations.retryNow(TOPIC, 0));
            assertEquals(List.of(), operations.failingPartitions(), "nothing is delayed any more, and nothing fails");
            assertFalse(operations.retryNow(TOPIC, 0), "what is not listed as failing has nothing to retry");
            assertEquals(List.of("2"), publishAll(store, 10));
            assertEquals(List.of(), operations.failingPartitions());
        }
    }

    @Test
    void credentialsBeforeTheHostAreRefused() {
        String url = dialect.urlPrefix() + "//app:s3cr3t@localhost/db";
        ConfigurationException e = assertThrows(ConfigurationException.class, () -> Stores.open(url));
        assertTrue(e.getMessage().contains("options user and password"), e.getMessage());
        assertFalse(e.toString().contains("s3cr3t"), e.toString());
    }
}
