package dev.outbox.store.jooq;

import org.junit.jupiter.api.Tag;

/** The tables of the outbox, on MySQL. */
@Tag("mysql")
class MySqlSchemaTest extends SchemaTest {
    MySqlSchemaTest() {
        super(new MySqlHarness(), MySqlDialect.MYSQL);
    }
}
