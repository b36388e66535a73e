package dev.outbox.store.jooq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.ConfigurationException;
import dev.outbox.DeadLetter;
import dev.outbox.MessageBatch;
import dev.outbox.MisuseException;
import dev.outbox.Operations;
import dev.outbox.Operations.FailingPartition;
import dev.outbox.OutgoingMessage;
import dev.outbox.PersistFunc;
import dev.outbox.PersistedMessage;
import dev.outbox.Store;
import dev.outbox.StoreException;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.store.jooq.internal.dialect.Dialect;
import dev.outbox.store.jooq.internal.dialect.MySqlDialect;
import dev.outbox.store.jooq.internal.dialect.TableNames;
import dev.outbox.store.jooq.internal.schema.DdlRun;
import dev.outbox.store.jooq.internal.schema.DdlScripts;
import dev.outbox.store.jooq.internal.schema.DdlStep;
import dev.outbox.store.jooq.internal.schema.Schema;
import dev.outbox.tck.StoreHarness;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Making the tables of the outbox, and refusing what will not do, on every database. */
@Timeout(300)
abstract class SchemaTest {
    final StoreHarness harness;
    private final Dialect withDefaultNames;

    /** With the names of the tables that are tested. */
    Dialect dialect;

    String address = "";

    SchemaTest(StoreHarness harness, Dialect dialect) {
        this.harness = harness;
        this.withDefaultNames = dialect;
        this.dialect = dialect;
    }

    @BeforeEach
    void create() throws Exception {
        address = harness.createOutbox();
    }

    @AfterEach
    void drop() throws Exception {
        harness.dropOutbox(address);
    }

    JdbcOutbox.Named tables() {
        return JdbcOutbox.named(dialect.names().toString());
    }

    StoreOptions asTheyAre() {
        return StoreOptions.defaults()
                .withCreateSchema(false)
                .withPrefix(dialect.names().toString());
    }

    Observed pool() {
        return new Observed(address, true, Connection.TRANSACTION_READ_COMMITTED);
    }

    private void dropTables() throws SQLException {
        execute(
                "DROP TABLE outbox_message",
                "DROP TABLE outbox_partition",
                "DROP TABLE outbox_dead_letter",
                "DROP TABLE outbox_schema");
    }

    /** Leaves no table with a default name, so that a statement that says one fails. */
    void call(String names) throws SQLException {
        dropTables();
        dialect = withDefaultNames.named(TableNames.of(names));
        tables().createSchema(pool());
    }

    /** Statements with default names. */
    void execute(String... statements) throws SQLException {
        try (Connection connection = DriverManager.getConnection(address);
                Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(dialect.sql(sql));
            }
        }
    }

    int version() throws SQLException {
        try (Connection connection = DriverManager.getConnection(address);
                ResultSet row =
                        connection.createStatement().executeQuery(dialect.sql("SELECT version FROM outbox_schema"))) {
            row.next();
            return row.getInt(1);
        }
    }

    void write(String text) throws SQLException {
        try (Connection connection = DriverManager.getConnection(address)) {
            connection.setAutoCommit(false);
            tables().persist(connection).persist(StoreTest.message(0, text));
            connection.commit();
        }
    }

    /** Whatever fails behind the commit: who gets the connection next would write in a transaction that nobody ends. */
    @Test
    void aConnectionThatMadeTablesIsInAutoCommitModeAgain() throws Exception {
        execute("DROP TABLE outbox_dead_letter");
        try (Connection connection = DriverManager.getConnection(address)) {
            Connection failing = (Connection) Proxy.newProxyInstance(
                    SchemaTest.class.getClassLoader(),
                    new Class<?>[] {Connection.class},
                    (proxy, method, arguments) -> {
                        if (method.getName().equals("rollback")) {
                            throw new SQLException("no rollback");
                        }
                        try {
                            return method.invoke(connection, arguments);
                        } catch (InvocationTargetException e) {
                            throw e.getCause();
                        }
                    });
            new DdlRun(failing, dialect.on(connection), Duration.ofSeconds(10)).run();
            assertTrue(connection.getAutoCommit());
        }
    }

    @Test
    void aNewerVersionIsLeftAloneAndSaysWhoIsTooOld() throws Exception {
        execute("UPDATE outbox_schema SET version = 99");
        tables().createSchema(pool());
        assertEquals(99, version());
        String text = refusal();
        assertTrue(text.contains("version 99") && text.contains("library works with version"), text);
        assertTrue(text.contains("outbox-store-jooq"), text);
        execute("UPDATE outbox_schema SET version = 0");
        assertTrue(refusal().contains("never was"), refusal());
    }

    @Test
    void everyUpgradeIsThere() {
        for (int from = 1; from <= DdlScripts.VERSION; from++) {
            String upgrade = tables().upgradeDdl(Product.database(dialect), from);
            assertEquals(from == DdlScripts.VERSION, upgrade.isEmpty(), upgrade);
        }
        for (int none : List.of(-1, 0, DdlScripts.VERSION + 1)) {
            assertThrows(MisuseException.class, () -> tables().upgradeDdl(Product.database(dialect), none));
        }
    }

    /** Opening says what is missing and what to run; that is run as it stands, and opening says no more. */
    void assertMends(String... parts) throws Exception {
        String text = refusal();
        for (String part : parts) {
            assertTrue(text.contains(dialect.sql(part)), text);
        }
        execute(DdlScripts.statements(text.substring(text.indexOf("\n\n"))));
        write("mended");
        try (Store store = Stores.open(address, asTheyAre())) {
            assertEquals(List.of("mended"), StoreTest.publishAll(store, 10));
        }
    }

    @Test
    void aMissingIndexIsRefusedAndToldHowToMake() throws Exception {
        for (String table : List.of("outbox_message", "outbox_dead_letter")) {
            execute(dialect.dropIndex(table + "_order", table));
            assertMends("CREATE INDEX " + table + "_order ON " + table + " (topic, ");
        }
    }

    @Test
    void anIndexOfOtherColumnsIsRefused() throws Exception {
        execute(
                dialect.dropIndex("outbox_message_order", "outbox_message"),
                "CREATE INDEX outbox_message_order ON outbox_message (topic, id, partition_no)");
        assertMends("DROP INDEX outbox_message_order", "CREATE INDEX outbox_message_order");
        execute(
                dialect.dropIndex("outbox_message_order", "outbox_message"),
                "CREATE INDEX outbox_message_order ON outbox_message (topic, partition_no, id, attempts)");
        assertMends("DROP INDEX outbox_message_order", "CREATE INDEX outbox_message_order");
    }

    @Test
    void rowsThatMayComeTwiceAreRefused() throws Exception {
        execute(
                "DROP TABLE outbox_partition",
                String.join(
                                ";",
                                Stream.of(DdlScripts.statements(JdbcOutbox.ddl(Product.database(dialect))))
                                        .filter(part -> part.contains("TABLE IF NOT EXISTS outbox_partition"))
                                        .toList())
                        .replaceFirst("retry_at ([^,]+),\\s+UNIQUE[^)]*\\)", "retry_at $1"));
        assertMends("CREATE UNIQUE INDEX outbox_partition_name ON outbox_partition (topic, partition_no)");
        execute("DROP TABLE outbox_dead_letter");
        execute(Stream.of(DdlScripts.statements(JdbcOutbox.ddl(Product.database(dialect))))
                .filter(part -> part.contains("outbox_dead_letter"))
                .map(part -> part.replace(" PRIMARY KEY", " NOT NULL").replace("NOT NULL NOT NULL", "NOT NULL"))
                .toArray(String[]::new));
        assertMends("ALTER TABLE outbox_dead_letter ADD PRIMARY KEY (id)");
    }

    @Test
    void allOfThatHoldsForOtherNamesToo() throws Exception {
        call("Shop_1_");
        aMissingIndexIsRefusedAndToldHowToMake();
        anIndexOfOtherColumnsIsRefused();
        rowsThatMayComeTwiceAreRefused();
        aNewerVersionIsLeftAloneAndSaysWhoIsTooOld();
        dropTables();
        assertTrue(refusal().contains("JdbcOutbox.named(\"Shop_1_\").createSchema"), refusal());
        assertTrue(refusal().contains("CREATE TABLE IF NOT EXISTS Shop_1_message"), refusal());
        assertFalse(refusal().contains("outbox_message"), refusal());
        tables().createSchema(pool()); // for the end of the test
    }

    /** Every statement there is, on two outboxes at once, and none with the default names. */
    @Test
    void twoOutboxesInOneDatabaseNeverMeet() throws Exception {
        call("one_");
        JdbcOutbox.Named one = tables();
        JdbcOutbox.Named two = JdbcOutbox.named("two_");
        two.createSchema(pool());
        try (Store first = Stores.open(address, asTheyAre());
                Store second = two.store(pool(), StoreOptions.defaults())) {
            for (JdbcOutbox.Named tables : List.of(one, two)) {
                try (Connection connection = DriverManager.getConnection(address)) {
                    connection.setAutoCommit(false);
                    for (String topic : List.of("orders", "outbox_message")) {
                        for (int i = 0; i < 4; i++) {
                            tables.persist(connection)
                                    .persist(new OutgoingMessage(
                                            topic,
                                            i / 2,
                                            null,
                                            Map.of(),
                                            (tables + " " + i).getBytes(StandardCharsets.UTF_8)));
                        }
                    }
                    connection.commit();
                }
            }
            assertEquals(List.of(), refusalOfDefaultNames());
            try (MessageBatch batch = first.checkout(Set.of("orders", "outbox_message"), 100)) {
                assertEquals(8, batch.messages().size());
                assertTrue(StoreTest.texts(batch).stream().allMatch(text -> text.startsWith("one_")));
                exercise(second, "two_");
                batch.messages().forEach(message -> batch.markPublished(message, null));
            }
            assertEquals(List.of(), Operations.of(first).backlog());
        }
    }

    private List<String> refusalOfDefaultNames() {
        String text = assertThrows(
                        ConfigurationException.class,
                        () -> Stores.open(address, StoreOptions.defaults().withCreateSchema(false)))
                .getMessage();
        return text.contains("CREATE TABLE IF NOT EXISTS outbox_message") ? List.of() : List.of(text);
    }

    /** Of each partition the first message fails, then dies and comes back; the second is published. */
    private static void exercise(Store store, String start) {
        Set<String> topics = Set.of("orders", "outbox_message");
        Operations operations = Operations.of(store);
        try (MessageBatch batch = store.checkout(topics, 100)) {
            assertEquals(8, batch.messages().size(), "beside a batch of partitions of the same row ids");
            assertTrue(StoreTest.texts(batch).stream().allMatch(text -> text.startsWith(start)));
            batch.markFailed(batch.messages().get(0), "away", Duration.ofHours(1));
        }
        assertEquals(4, operations.backlog().size());
        FailingPartition failing = operations.failingPartitions().get(0);
        assertTrue(operations.retryNow(failing.topic(), failing.partition()));
        try (MessageBatch batch = store.checkout(topics, 100)) {
            batch.messages().forEach(message -> batch.deadLetter(message, "poison"));
        }
        for (String topic : topics) {
            List<DeadLetter> dead = operations.deadLetters(topic, null, 1);
            String first = dead.get(0).message().id();
            assertEquals(3, operations.deadLetters(topic, first, 100).size());
            assertTrue(operations.deadLetter(first).isPresent());
            assertEquals(1, operations.redrive(List.of(first)));
            assertEquals(
                    1,
                    operations.discard(List.of(operations
                            .deadLetters(topic, null, 1)
                            .get(0)
                            .message()
                            .id())));
        }
        try (MessageBatch batch = store.checkout(topics, 100)) {
            assertEquals(2, batch.messages().size());
            batch.messages().forEach(message -> batch.markPublished(message, null));
        }
        assertEquals(List.of(), operations.failingPartitions());
    }

    @Test
    void tablesMayBeInAnotherSchema() throws Exception {
        String schema = "shop_" + Long.toString(System.nanoTime(), 36);
        String kind = dialect instanceof MySqlDialect ? "DATABASE " : "SCHEMA ";
        JdbcOutbox.Named there = JdbcOutbox.named(schema + ".events_");
        String missing = assertThrows(ConfigurationException.class, () -> there.createSchema(pool()))
                .getMessage();
        assertTrue(missing.contains("CREATE " + kind + schema), missing);
        execute("CREATE " + kind + schema);
        try {
            call(there.toString());
            aMissingIndexIsRefusedAndToldHowToMake();
            String one = "one";
            try (Store store = Stores.open(address, asTheyAre())) {
                write(one);
                assertEquals(List.of(one), StoreTest.publishAll(store, 10));
            }
            dropTables();
        } finally {
            execute("DROP " + kind + schema + (dialect instanceof MySqlDialect ? "" : " CASCADE"));
        }
        String gone = refusal();
        assertTrue(gone.contains("There is no schema " + schema), gone);
        try (Connection connection = DriverManager.getConnection(address)) {
            connection.setAutoCommit(false);
            assertThrows(
                    ConfigurationException.class,
                    () -> there.persist(connection).persist(StoreTest.message(0, "nowhere")));
        }
    }

    @Test
    void aSchemaCalledByAReservedWordIsRefused() throws Exception {
        dialect = withDefaultNames.named(TableNames.of("select.events_"));
        assertTrue(refusal().contains("select is a word of this database's language"), refusal());
        assertThrows(ConfigurationException.class, () -> tables().createSchema(pool()));
        try (Connection connection = DriverManager.getConnection(address)) {
            connection.setAutoCommit(false);
            PersistFunc persist = tables().persist(connection);
            assertThrows(ConfigurationException.class, () -> persist.persist(StoreTest.message(0, "nowhere")));
        }
    }

    private OldLibrary old() {
        return new OldLibrary(dialect);
    }

    /** Tables of version 1. */
    private void makeOldTables() throws SQLException {
        dropTables();
        execute(old().ddl());
    }

    private String[] upgrade() {
        return DdlScripts.statements(tables().upgradeDdl(Product.database(dialect), 1));
    }

    /** In a transaction of the old library. */
    private <T> T byOld(Statements<T> statements) throws SQLException {
        try (Connection connection = DriverManager.getConnection(address)) {
            connection.setAutoCommit(false);
            T result = statements.on(connection);
            connection.commit();
            return result;
        }
    }

    private interface Statements<T> {
        T on(Connection connection) throws SQLException;
    }

    @Test
    void tablesOfTheVersionBeforeAreAnsweredWithTheirUpgrade() throws Exception {
        makeOldTables();
        String text = refusal();
        assertTrue(text.contains("version 1, and this library works with version 2"), text);
        assertTrue(text.contains(tables().upgradeDdl(Product.database(dialect), 1)), text);
        assertFalse(text.contains("CREATE TABLE"), text);
        tables().createSchema(pool());
        Stores.open(address, asTheyAre()).close();
    }

    @Test
    void tablesAreUpgradedByHandWhereverItIsCutOff() throws Exception {
        for (int cut = 0; cut <= upgrade().length; cut++) {
            makeOldTables();
            byOld(connection -> old().persist(connection, "before"));
            execute(Arrays.copyOf(upgrade(), cut));
            byOld(connection -> old().persist(connection, "cut off"));
            execute(upgrade());
            byOld(connection -> old().persist(connection, "by an old writer"));
            write("by a new one");
            try (Store store = Stores.open(address, asTheyAre())) {
                assertEquals(
                        List.of("before", "cut off", "by an old writer", "by a new one"),
                        StoreTest.publishAll(store, 10));
            }
        }
    }

    @Test
    void createSchemaUpgradesAlsoWhatWasCutOffAndManyAtOnce() throws Exception {
        for (int cut = 0; cut <= upgrade().length; cut++) {
            makeOldTables();
            byOld(connection -> old().persist(connection, "before"));
            execute(Arrays.copyOf(upgrade(), cut));
            Stream.generate(() -> CompletableFuture.runAsync(() -> tables().createSchema(pool())))
                    .limit(4)
                    .toList()
                    .forEach(CompletableFuture::join);
            try (Store store = Stores.open(address, asTheyAre())) {
                assertEquals(List.of("before"), StoreTest.publishAll(store, 10));
            }
        }
    }

    /** On upgraded tables both write, relay, bury and redrive, and each opens. */
    @Test
    void oldAndNewLibrariesLiveTogether() throws Exception {
        makeOldTables();
        String oldDead = byOld(connection -> old().persist(connection, "died before"));
        byOld(connection -> {
            old().bury(connection, old().read(connection).get(0));
            return true;
        });
        String oldId = byOld(connection -> old().persist(connection, "old"));
        execute(upgrade());
        byOld(connection -> {
            old().opens(connection);
            return true;
        });
        String newId = StoreTest.message(0, "").id();
        try (Connection connection = DriverManager.getConnection(address)) {
            connection.setAutoCommit(false);
            OutgoingMessage message =
                    new OutgoingMessage(newId, "orders", 0, null, Map.of(), "new".getBytes(StandardCharsets.UTF_8));
            assertEquals(newId, tables().persist(connection).persist(message));
            connection.commit();
        }
        try (Store store = Stores.open(address, asTheyAre())) {
            Operations operations = Operations.of(store);
            assertEquals(
                    "died before",
                    StoreTest.text(operations.deadLetter(oldDead).orElseThrow().message()));
            // What died by either is redriven and dies again by the other, and an old id stays what it was.
            assertEquals(1, operations.redrive(List.of(oldDead)));
            try (MessageBatch batch = store.checkout(Set.of("orders"), 10)) {
                assertEquals(List.of("old", "new", "died before"), StoreTest.texts(batch));
                assertEquals(
                        List.of(oldId, newId, oldDead),
                        batch.messages().stream().map(PersistedMessage::id).toList());
                batch.messages().forEach(message -> batch.deadLetter(message, "poison"));
            }
            assertEquals(
                    List.of(oldId, newId, oldDead),
                    operations.deadLetters("orders", null, 10).stream()
                            .map(letter -> letter.message().id())
                            .toList());
            assertEquals(
                    List.of(newId, oldDead),
                    operations.deadLetters("orders", oldId, 10).stream()
                            .map(letter -> letter.message().id())
                            .toList());
            assertEquals(3, operations.redrive(List.of(newId, oldDead, oldId)));
            byOld(connection -> {
                List<OldLibrary.Read> read = old().read(connection);
                assertEquals(
                        List.of("new", "died before", "old"),
                        read.stream().map(OldLibrary.Read::text).toList());
                assertEquals(
                        List.of(oldDead, oldId),
                        read.stream().skip(1).map(OldLibrary.Read::id).toList());
                old().bury(connection, read.get(1));
                old().redrive(connection, oldDead);
                old().bury(connection, read.get(2));
                old().settle(connection, read.get(0));
                return true;
            });
            assertEquals(1, operations.redrive(List.of(oldId)));
            try (MessageBatch batch = store.checkout(Set.of("orders"), 10)) {
                assertEquals(
                        List.of(oldDead, oldId),
                        batch.messages().stream().map(PersistedMessage::id).toList());
                batch.messages().forEach(message -> batch.markPublished(message, null));
            }
        }
    }

    /** As after TRUNCATE, a restore or a failover: a letter has the number of the row, and the id of the message. */
    @Test
    void nothingAmongTheDeadLettersKeepsAMessageFromBecomingOne() throws Exception {
        String id = byOld(connection -> old().persist(connection, "by number"));
        execute(
                "INSERT INTO outbox_dead_letter (id, topic, partition_no, payload, attempts, created_at, reason, died_at)"
                        + " SELECT n, 'orders', 0, CAST('old' AS "
                        + (dialect instanceof MySqlDialect ? "binary" : "bytea")
                        + "), 1, CURRENT_TIMESTAMP, 'poison', CURRENT_TIMESTAMP"
                        + " FROM (SELECT " + id + " AS n UNION ALL SELECT " + id + " + 1 UNION ALL SELECT " + id
                        + " + 2 UNION ALL SELECT " + id + " + 3) w");
        write("by id");
        try (Store store = Stores.open(address, asTheyAre())) {
            Operations operations = Operations.of(store);
            String newId;
            try (MessageBatch batch = store.checkout(Set.of("orders"), 10)) {
                newId = batch.messages().get(1).id();
                batch.messages().forEach(message -> batch.deadLetter(message, "poison"));
            }
            assertEquals(
                    "by id",
                    StoreTest.text(operations.deadLetter(newId).orElseThrow().message()));
            assertEquals(6, operations.deadLetters("orders", null, 10).size());
            assertEquals(2, operations.redrive(List.of(id)), "both that are called " + id);
            assertEquals(Set.of("old", "by number"), Set.copyOf(StoreTest.publishAll(store, 10)));
            assertEquals(1, operations.discard(List.of(newId, "no such id", id)));
            assertEquals(3, operations.deadLetters("orders", null, 10).size());
        }
    }

    /** At every start of an application, beside writers that take their time. */
    @Test
    void whereNothingIsMissingNobodyWaits() throws Exception {
        try (Connection writer = DriverManager.getConnection(address)) {
            writer.setAutoCommit(false);
            tables().persist(writer).persist(StoreTest.message(0, "takes its time"));
            CompletableFuture<Void> start = CompletableFuture.runAsync(() -> tables().createSchema(pool()));
            start.get(50, TimeUnit.SECONDS); // making tables gives up after a minute
            write("meanwhile");
            writer.commit();
        }
    }

    /** A batch is open, and its publisher takes its time: the upgrade gives way to writers again and again. */
    @Test
    void anUpgradeStopsNoWriterForLong() throws Exception {
        makeOldTables();
        try (Connection batch = DriverManager.getConnection(address)) {
            batch.setAutoCommit(false);
            old().persist(batch, "in a transaction that uses the table");
            CompletableFuture<Void> upgrade = CompletableFuture.runAsync(() -> tables().createSchema(pool()));
            long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(4);
            while (System.nanoTime() < end) {
                CompletableFuture.supplyAsync(() -> {
                            try {
                                return byOld(connection -> old().persist(connection, "meanwhile"));
                            } catch (SQLException e) {
                                throw new IllegalStateException(e);
                            }
                        })
                        .get(60, TimeUnit.SECONDS);
            }
            assertFalse(upgrade.isDone(), "it cannot get through yet");
            batch.commit();
            upgrade.get(90, TimeUnit.SECONDS);
        }
        Stores.open(address, asTheyAre()).close();
    }

    @Test
    void anUpgradeThatDoesNotGetThroughSaysWhoIsInItsWay() throws Exception {
        makeOldTables();
        try (Connection batch = DriverManager.getConnection(address);
                Connection connection = DriverManager.getConnection(address)) {
            batch.setAutoCommit(false);
            old().persist(batch, "in its way");
            String text = assertThrows(
                            StoreException.class, () -> Schema.create(connection, dialect, Duration.ofMillis(1)))
                    .getMessage();
            assertTrue(text.contains("has to wait for transactions that use " + dialect.sql("outbox_message")), text);
            assertTrue(
                    dialect.lockHolders("outbox_message") == null
                            || text.contains("process ")
                            || text.contains("connection "),
                    text);
            assertTrue(connection.getAutoCommit());
            batch.commit();
            Schema.create(connection, dialect);
        }
        Stores.open(address, asTheyAre()).close();
    }

    /** As a process leaves it that is killed between two statements, and as several make it at a time. */
    @Test
    void freshTablesAreMadeWhereverItWasCutOffAndByManyAtOnce() throws Exception {
        String[] all = DdlScripts.statements(tables().ddl(Product.database(dialect)));
        for (int cut = 0; cut <= all.length; cut++) {
            dropTables();
            execute(Arrays.copyOf(all, cut));
            Stream.generate(() -> CompletableFuture.runAsync(() -> tables().createSchema(pool())))
                    .limit(4)
                    .toList()
                    .forEach(CompletableFuture::join);
            write("made");
            try (Store store = Stores.open(address, asTheyAre())) {
                assertEquals(List.of("made"), StoreTest.publishAll(store, 10));
            }
        }
    }

    /** Tools for migrations take scripts apart: some at the ends of lines, some wherever there is a semicolon. */
    @Test
    void toolsForMigrationsCanRunTheScripts() throws Exception {
        for (boolean upgraded : new boolean[] {false, true}) {
            dropTables();
            if (upgraded) {
                execute(old().ddl());
            }
            String script = upgraded
                    ? tables().upgradeDdl(Product.database(dialect), 1)
                    : tables().ddl(Product.database(dialect));
            // Those that leave comments where they are, and those that do not.
            for (String text : List.of(script, script.replaceAll("(?m)^--.*$", ""))) {
                execute(Stream.of(text.split(";"))
                        .filter(part -> !part.replaceAll("(?m)^--.*$", "").isBlank())
                        .toArray(String[]::new));
            }
            write("made by a tool");
            try (Store store = Stores.open(address, asTheyAre())) {
                assertEquals(List.of("made by a tool"), StoreTest.publishAll(store, 10));
            }
        }
    }

    /** The scripts and what makes the tables at a start have the same statements. */
    @Test
    void everyStatementIsKnownToTheLookThatLeavesItOut() throws Exception {
        List<DdlStep> steps = DdlStep.all(dialect);
        String scripts = DdlScripts.all(dialect).replaceAll("(?m)^--.*$", "");
        for (String made : List.of("CREATE TABLE", "ADD COLUMN", "INSERT ")) {
            assertEquals(
                    scripts.split(made, -1).length - 1,
                    steps.stream().filter(step -> step.sql().contains(made)).count(),
                    made);
        }
        try (Connection connection = DriverManager.getConnection(address)) {
            for (DdlStep step : steps) {
                assertFalse(step.isMissing(connection, dialect), step.toString());
            }
        }
    }

    @Test
    void whatIsUpgradedMayHaveOtherNames() throws Exception {
        call("Shop_1_");
        tablesOfTheVersionBeforeAreAnsweredWithTheirUpgrade();
        tablesAreUpgradedByHandWhereverItIsCutOff();
        createSchemaUpgradesAlsoWhatWasCutOffAndManyAtOnce();
        oldAndNewLibrariesLiveTogether();
    }

    /** What opening says of the tables as they are. */
    String refusal() {
        return assertThrows(ConfigurationException.class, () -> Stores.open(address, asTheyAre()))
                .getMessage();
    }
}
