package dev.outbox.store.jooq;

import org.junit.jupiter.api.Tag;

/** What the store promises beyond the contract, on MariaDB. */
@Tag("mariadb")
class MariaDbStoreTest extends MySqlFamilyTest {
    MariaDbStoreTest() {
        super(new MariaDbHarness(), MySqlDialect.MARIADB);
    }
}
