package dev.outbox.store.jooq;

import org.junit.jupiter.api.Tag;

/** What is refused on MariaDB. */
@Tag("mariadb")
class MariaDbOpeningTest extends MySqlFamilyOpeningTest {
    MariaDbOpeningTest() {
        super(new MariaDbHarness());
    }
}
