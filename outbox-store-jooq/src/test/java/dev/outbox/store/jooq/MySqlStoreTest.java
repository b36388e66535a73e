package dev.outbox.store.jooq;

import org.junit.jupiter.api.Tag;

/** What the store promises beyond the contract, on MySQL. */
@Tag("mysql")
class MySqlStoreTest extends MySqlFamilyTest {
    MySqlStoreTest() {
        super(new MySqlHarness(), MySqlDialect.MYSQL);
    }
}
