package dev.outbox.store.jooq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.ConfigurationException;
import dev.outbox.MessageBatch;
import dev.outbox.MisuseException;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.tck.StoreHarness;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Making the tables of the outbox, upgrading them, and refusing what will not do, on every database. */
@Timeout(60)
abstract class SchemaTest {
    private static final StoreOptions AS_THEY_ARE = StoreOptions.defaults().createSchema(false);
    private static final StoreOptions CREATE = StoreOptions.defaults().createSchema(true);

    final StoreHarness harness;
    final Dialect dialect;
    String address = "";

    SchemaTest(StoreHarness harness, Dialect dialect) {
        this.harness = harness;
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

    void execute(String... statements) throws SQLException {
        try (Connection connection = DriverManager.getConnection(address);
                Statement statement = connection.createStatement()) {
            for (String sql : statements) {
                statement.execute(sql);
            }
        }
    }

    private int version() throws SQLException {
        try (Connection connection = DriverManager.getConnection(address);
                ResultSet row = connection.createStatement().executeQuery("SELECT version FROM outbox_schema")) {
            row.next();
            return row.getInt(1);
        }
    }

    /** Makes the tables as the first version had them, from its own DDL. */
    private void makeOldTables() throws Exception {
        execute(
                "DROP TABLE outbox_message",
                "DROP TABLE outbox_partition",
                "DROP TABLE outbox_dead_letter",
                "DROP TABLE outbox_schema");
        String name = dialect.ddlResource().replace("ddl/", "ddl-1/");
        try (InputStream ddl = Objects.requireNonNull(SchemaTest.class.getResourceAsStream(name), name)) {
            execute(Schema.statements(new String(ddl.readAllBytes(), StandardCharsets.UTF_8)));
        }
        assertEquals(1, version());
    }

    /** As the first version writes it. */
    private void writeAsBefore(String text) throws SQLException {
        try (Connection connection = DriverManager.getConnection(address);
                PreparedStatement insert = connection.prepareStatement(
                        "INSERT INTO outbox_message"
                                + " (topic, partition_no, message_key, headers, payload) VALUES ('orders', 0, NULL, NULL, ?)")) {
            insert.setBytes(1, text.getBytes(StandardCharsets.UTF_8));
            insert.executeUpdate();
        }
    }

    private void write(String text) throws SQLException {
        try (Connection connection = DriverManager.getConnection(address)) {
            connection.setAutoCommit(false);
            JooqOutbox.persist(connection).persist(StoreTest.message(0, text));
            connection.commit();
        }
    }

    @Test
    void oldTablesAreUpgradedByHandWhereverItIsCutOff() throws Exception {
        String[] upgrade = Schema.statements(JooqOutbox.upgradeDdl(dialect.jooq(), 1));
        for (int cut = 0; cut <= upgrade.length; cut++) {
            makeOldTables();
            writeAsBefore("before");
            execute(Arrays.copyOf(upgrade, cut));
            writeAsBefore("cut off");
            execute(upgrade);
            writeAsBefore("by an old writer");
            write("by a new one");
            assertEquals(dialect.schemaVersion(), version());
            try (Store store = Stores.open(address, AS_THEY_ARE)) {
                assertEquals(
                        List.of("before", "cut off", "by an old writer", "by a new one"),
                        StoreTest.publishAll(store, 10));
            }
        }
    }

    @Test
    void createSchemaUpgradesAlsoWhatWasCutOffAndManyAtOnce() throws Exception {
        String[] upgrade = Schema.statements(JooqOutbox.upgradeDdl(dialect.jooq(), 1));
        for (int cut = 0; cut <= upgrade.length; cut++) {
            makeOldTables();
            writeAsBefore("before");
            execute(Arrays.copyOf(upgrade, cut));
            Observed pool = new Observed(address, true, Connection.TRANSACTION_READ_COMMITTED);
            List<CompletableFuture<Void>> all = Stream.generate(
                            () -> CompletableFuture.runAsync(() -> JooqOutbox.createSchema(pool)))
                    .limit(4)
                    .toList();
            all.forEach(CompletableFuture::join);
            try (Store store = Stores.open(address, AS_THEY_ARE)) {
                assertEquals(List.of("before"), StoreTest.publishAll(store, 10));
            }
        }
    }

    @Test
    void openingWithCreateSchemaUpgrades() throws Exception {
        makeOldTables();
        writeAsBefore("before");
        try (Store store = Stores.open(address, CREATE)) {
            assertEquals(List.of("before"), StoreTest.publishAll(store, 10));
        }
        assertEquals(dialect.schemaVersion(), version());
    }

    /** A store that is open, and a writer, go on while somebody upgrades; nothing is lost, nothing comes twice. */
    @Test
    void whatIsOpenGoesOnDuringAnUpgrade() throws Exception {
        try (Store open = Stores.open(address, AS_THEY_ARE)) {
            write("1");
            write("2");
            assertEquals(List.of("1"), StoreTest.publishAll(open, 1));
            try (Connection connection = DriverManager.getConnection(address);
                    Statement statement = connection.createStatement()) {
                if (dialect instanceof PostgresDialect) {
                    statement.execute("ALTER TABLE outbox_message DROP COLUMN tx");
                }
                statement.execute("UPDATE outbox_schema SET version = 1");
            }
            assertEquals(List.of("2"), StoreTest.publishAll(open, 1), "on the tables of the version before");
            write("3");
            MessageBatch batch = open.checkout(Set.of(StoreTest.TOPIC), 10);
            CompletableFuture<Void> upgrade = CompletableFuture.runAsync(
                    () -> JooqOutbox.createSchema(new Observed(address, true, Connection.TRANSACTION_READ_COMMITTED)));
            batch.markPublished(batch.messages().get(0), null);
            batch.close();
            upgrade.join();
            write("4");
            assertEquals(List.of("4"), StoreTest.publishAll(open, 10));
        }
        assertEquals(dialect.schemaVersion(), version());
    }

    @Test
    void anOlderVersionIsAnsweredWithItsUpgrade() throws Exception {
        makeOldTables();
        if (dialect.schemaVersion() == 1) {
            Stores.open(address, AS_THEY_ARE).close();
        } else {
            String text = refusal();
            assertTrue(text.contains("version 1") && text.contains(JooqOutbox.upgradeDdl(dialect.jooq(), 1)), text);
            assertFalse(text.contains("CREATE TABLE"), text);
        }
        execute("UPDATE outbox_schema SET version = 0");
        assertTrue(refusal().contains("never was"), refusal());
    }

    @Test
    void aNewerVersionIsLeftAloneAndSaysWhoIsTooOld() throws Exception {
        execute("UPDATE outbox_schema SET version = 99");
        JooqOutbox.createSchema(new Observed(address, true, Connection.TRANSACTION_READ_COMMITTED));
        assertEquals(99, version());
        String text = refusal();
        assertTrue(text.contains("version 99") && text.contains("library works with version"), text);
        assertTrue(text.contains("outbox-store-jooq"), text);
    }

    @Test
    void everyUpgradeIsThere() {
        for (int from = 1; from <= dialect.schemaVersion(); from++) {
            String upgrade = JooqOutbox.upgradeDdl(dialect.jooq(), from);
            assertEquals(from == dialect.schemaVersion(), upgrade.isEmpty(), upgrade);
        }
        for (int none : List.of(-1, 0, dialect.schemaVersion() + 1)) {
            assertThrows(MisuseException.class, () -> JooqOutbox.upgradeDdl(dialect.jooq(), none));
        }
    }

    /** Opening says what is missing and what to run; that is run as it stands, and opening says no more. */
    void assertMends(String... parts) throws Exception {
        String text = refusal();
        for (String part : parts) {
            assertTrue(text.contains(part), text);
        }
        execute(Schema.statements(text.substring(text.indexOf("\n\n"))));
        write("mended");
        try (Store store = Stores.open(address, AS_THEY_ARE)) {
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
                                Stream.of(Schema.statements(JooqOutbox.ddl(dialect.jooq())))
                                        .filter(part -> part.contains("TABLE IF NOT EXISTS outbox_partition"))
                                        .toList())
                        .replaceFirst("retry_at ([^,]+),\\s+UNIQUE[^)]*\\)", "retry_at $1"));
        assertMends("CREATE UNIQUE INDEX outbox_partition_name ON outbox_partition (topic, partition_no)");
        execute("DROP TABLE outbox_dead_letter");
        execute(Stream.of(Schema.statements(JooqOutbox.ddl(dialect.jooq())))
                .filter(part -> part.contains("outbox_dead_letter"))
                .map(part -> part.replace(" PRIMARY KEY", " NOT NULL").replace("NOT NULL NOT NULL", "NOT NULL"))
                .toArray(String[]::new));
        assertMends("ALTER TABLE outbox_dead_letter ADD PRIMARY KEY (id)");
    }

    /** What opening says of the tables as they are. */
    String refusal() {
        return assertThrows(ConfigurationException.class, () -> Stores.open(address, AS_THEY_ARE))
                .getMessage();
    }
}
