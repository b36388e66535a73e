package dev.outbox.store.jooq;

import dev.outbox.store.jooq.internal.dialect.Dialects;
import org.junit.jupiter.api.Tag;

/** What the store promises beyond the contract, on MariaDB. */
@Tag("mariadb")
class MariaDbStoreTest extends MySqlFamilyTest {
    MariaDbStoreTest() {
        super(new MariaDbHarness(), Dialects.MARIADB);
    }
}
