package dev.outbox.store.jooq.fault;

import org.junit.jupiter.api.Tag;

/** Faults at exact moments, on MariaDB. */
@Tag("mariadb")
class MariaDbBatchFaultTest extends BatchFaultTest {
    MariaDbBatchFaultTest() {
        super(MySqlDatabase.MARIADB);
    }
}
