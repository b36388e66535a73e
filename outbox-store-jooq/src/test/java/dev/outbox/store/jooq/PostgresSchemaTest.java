package dev.outbox.store.jooq;

import org.junit.jupiter.api.Tag;

/** The tables of the outbox, on PostgreSQL. */
@Tag("postgres")
class PostgresSchemaTest extends SchemaTest {
    PostgresSchemaTest() {
        super(new PostgresHarness(), new PostgresDialect());
    }
}
