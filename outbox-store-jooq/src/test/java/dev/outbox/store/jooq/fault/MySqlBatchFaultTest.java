package dev.outbox.store.jooq.fault;

import org.junit.jupiter.api.Tag;

/** Faults at exact moments, on MySQL. */
@Tag("mysql")
class MySqlBatchFaultTest extends BatchFaultTest {
    MySqlBatchFaultTest() {
        super(MySqlDatabase.MYSQL);
    }
}
