package dev.outbox.store.jooq;

import dev.outbox.store.jooq.internal.dialect.Dialects;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The tables of the outbox, on MySQL. */
@Tag("mysql")
class MySqlSchemaTest extends SchemaTest {
    MySqlSchemaTest() {
        super(new MySqlHarness(), Dialects.MYSQL);
    }

    @Test
    void anIndexThatIsSwitchedOffIsRefused() throws Exception {
        execute("ALTER TABLE outbox_message ALTER INDEX outbox_message_order INVISIBLE");
        assertMends("DROP INDEX outbox_message_order", "CREATE INDEX outbox_message_order");
    }

    @Test
    void anIndexThatStatementsCannotNameIsRefused() throws Exception {
        execute(
                "ALTER TABLE outbox_message RENAME INDEX outbox_message_order TO other",
                "ALTER TABLE outbox_partition RENAME INDEX outbox_partition_name TO other");
        assertMends("CREATE INDEX outbox_message_order", "CREATE UNIQUE INDEX outbox_partition_name");
    }

    @Test
    void anInexactCollationIsRefused() throws Exception {
        execute("ALTER TABLE outbox_partition MODIFY topic varchar(200) COLLATE utf8mb4_general_ci NOT NULL");
        assertMends("outbox_partition has the collation utf8mb4_general_ci");
    }
}
