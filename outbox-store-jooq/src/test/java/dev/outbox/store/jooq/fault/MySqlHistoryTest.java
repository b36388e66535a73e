package dev.outbox.store.jooq.fault;

import org.junit.jupiter.api.Tag;

/** Histories under faults, on MySQL. */
@Tag("mysql")
@Tag("versions")
class MySqlHistoryTest extends ServerHistoryTest {
    MySqlHistoryTest() {
        super(MySqlDatabase.MYSQL, MySqlDatabase.COMMIT);
    }
}
