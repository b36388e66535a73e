package dev.outbox.store.jooq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.ConfigurationException;
import dev.outbox.MessageBatch;
import dev.outbox.Store;
import dev.outbox.Stores;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The tables of the outbox, on PostgreSQL. */
@Tag("postgres")
class PostgresSchemaTest extends SchemaTest {
    PostgresSchemaTest() {
        super(new PostgresHarness(), new PostgresDialect());
    }

    /**
     * CREATE INDEX CONCURRENTLY that fails leaves an index behind that is never used: not kept up either, if a writer was in
     * its way, or kept up, if it was the snapshot of somebody who reads.
     */
    @Test
    void anIndexWhoseMakingFailedIsRefused() throws Exception {
        for (boolean writer : new boolean[] {true, false}) {
            execute("DROP INDEX outbox_message_order");
            try (Connection other = DriverManager.getConnection(address)) {
                other.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
                other.setAutoCommit(false);
                if (writer) {
                    tables().persist(other).persist(StoreTest.message(0, "in its way"));
                } else {
                    other.createStatement().execute("SELECT 1");
                }
                assertThrows(
                        SQLException.class,
                        () -> execute(
                                "SET lock_timeout = 100",
                                "CREATE INDEX CONCURRENTLY outbox_message_order ON outbox_message (topic, partition_no, id)"));
                other.rollback();
            }
            assertMends("DROP INDEX outbox_message_order", "CREATE INDEX outbox_message_order");
        }
    }

    @Test
    void indexesThatServeNotEveryRowAreRefused() throws Exception {
        for (String index : List.of(
                "outbox_message (topic, partition_no, id) WHERE attempts = 0",
                "outbox_message (topic, partition_no, id DESC)",
                "outbox_message (topic COLLATE \"en-x-icu\", partition_no, id)",
                "outbox_message (lower(topic), partition_no, id)")) {
            execute("DROP INDEX outbox_message_order", "CREATE INDEX outbox_message_order ON " + index);
            assertMends("DROP INDEX outbox_message_order", "CREATE INDEX outbox_message_order");
        }
    }

    @Test
    void anInexactCollationIsRefused() throws Exception {
        execute(
                "CREATE COLLATION inexact (provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
                "ALTER TABLE outbox_partition ALTER COLUMN topic TYPE varchar(200) COLLATE inexact");
        assertMends("outbox_partition has the collation inexact");
    }

    /** The tables as a library to come may have them. */
    private Dialect next() {
        return new PostgresDialect(dialect.names(), "ddl-2/postgres.sql", 2);
    }

    private String[] upgrade() {
        return Schema.statements(Schema.upgrade(next(), 1));
    }

    private void createNext() {
        try (Connection connection = DriverManager.getConnection(address)) {
            Schema.create(connection, next());
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }

    /** What a library that works with the next tables says of these, null if it takes them. */
    private @Nullable String refusalOfNext() throws SQLException {
        try (Connection connection = DriverManager.getConnection(address)) {
            Schema.lockKey(connection, next());
            return null;
        } catch (ConfigurationException e) {
            return e.getMessage();
        }
    }

    private void makeTablesAnew() throws SQLException {
        execute("DROP TABLE outbox_message, outbox_partition, outbox_dead_letter, outbox_schema");
        tables().createSchema(pool());
    }

    @Test
    void tablesAreUpgradedByHandWhereverItIsCutOff() throws Exception {
        for (int cut = 0; cut <= upgrade().length; cut++) {
            makeTablesAnew();
            try (Store open = Stores.open(address, asTheyAre())) {
                write("before");
                execute(Arrays.copyOf(upgrade(), cut));
                write("cut off");
                execute(upgrade());
                write("by an old writer");
                assertEquals(2, version());
                assertNull(refusalOfNext());
                assertEquals(List.of("before", "cut off", "by an old writer"), StoreTest.publishAll(open, 10));
            }
        }
    }

    @Test
    void createSchemaUpgradesAlsoWhatWasCutOffAndManyAtOnce() throws Exception {
        for (int cut = 0; cut <= upgrade().length; cut++) {
            makeTablesAnew();
            try (Store open = Stores.open(address, asTheyAre())) {
                write("before");
                execute(Arrays.copyOf(upgrade(), cut));
                Stream.generate(() -> CompletableFuture.runAsync(this::createNext))
                        .limit(4)
                        .toList()
                        .forEach(CompletableFuture::join);
                assertNull(refusalOfNext());
                assertEquals(List.of("before"), StoreTest.publishAll(open, 10));
            }
        }
    }

    /** A store that is open, and a writer, go on while somebody upgrades; nothing is lost, nothing comes twice. */
    @Test
    void whatIsOpenGoesOnDuringAnUpgrade() throws Exception {
        try (Store open = Stores.open(address, asTheyAre())) {
            // Often enough that servers keep the plans, of one partition and of several, which the upgrade makes
            // invalid.
            assertGoesOn(open);
            write("3");
            MessageBatch batch = open.checkout(Set.of(StoreTest.TOPIC), 10);
            CompletableFuture<Void> upgrade = CompletableFuture.runAsync(this::createNext);
            batch.markPublished(batch.messages().get(0), null);
            batch.close();
            upgrade.join();
            write("4");
            assertEquals(List.of("4"), StoreTest.publishAll(open, 10));
            assertGoesOn(open);
        }
        assertEquals(2, version());
        assertTrue(refusal().contains("too old for them"), refusal());
    }

    private void assertGoesOn(Store open) throws SQLException {
        for (int i = 0; i < 8; i++) {
            try (Connection connection = DriverManager.getConnection(address)) {
                connection.setAutoCommit(false);
                for (int partition = 0; partition < 2; partition++) {
                    tables().persist(connection).persist(StoreTest.message(partition, "more"));
                }
                connection.commit();
            }
            assertEquals(2, StoreTest.publishAll(open, 10).size());
        }
    }

    @Test
    void anOlderVersionIsAnsweredWithItsUpgrade() throws Exception {
        String text = String.valueOf(refusalOfNext());
        assertTrue(text.contains("version 1") && text.contains(Schema.upgrade(next(), 1)), text);
        assertFalse(text.contains("CREATE TABLE"), text);
        try (Connection connection = DriverManager.getConnection(address)) {
            assertTrue(Schema.isToBeCreated(connection, next()));
            createNext();
            assertFalse(Schema.isToBeCreated(connection, next()));
        }
        assertNull(refusalOfNext());
    }

    @Test
    void tablesWithOtherNamesAreUpgradedToo() throws Exception {
        call("Shop_1_");
        tablesAreUpgradedByHandWhereverItIsCutOff();
        createSchemaUpgradesAlsoWhatWasCutOffAndManyAtOnce();
        makeTablesAnew();
        whatIsOpenGoesOnDuringAnUpgrade();
    }
}
