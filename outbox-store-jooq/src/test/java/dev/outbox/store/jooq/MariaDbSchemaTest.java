package dev.outbox.store.jooq;

import org.junit.jupiter.api.Tag;

/** The tables of the outbox, on MariaDB. */
@Tag("mariadb")
class MariaDbSchemaTest extends SchemaTest {
    MariaDbSchemaTest() {
        super(new MariaDbHarness(), MySqlDialect.MARIADB);
    }
}
