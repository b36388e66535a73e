package dev.outbox.store.jooq.fault;

import org.junit.jupiter.api.Tag;

/** Histories under faults, on MariaDB. */
@Tag("mariadb")
@Tag("versions")
class MariaDbHistoryTest extends ServerHistoryTest {
    MariaDbHistoryTest() {
        super(MySqlDatabase.MARIADB, MySqlDatabase.COMMIT);
    }
}
