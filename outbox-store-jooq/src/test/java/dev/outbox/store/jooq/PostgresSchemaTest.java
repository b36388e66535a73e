package dev.outbox.store.jooq;

import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.outbox.store.jooq.internal.dialect.Dialects;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The tables of the outbox, on PostgreSQL. */
@Tag("postgres")
class PostgresSchemaTest extends SchemaTest {
    PostgresSchemaTest() {
        super(new PostgresHarness(), Dialects.POSTGRESQL);
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
}
