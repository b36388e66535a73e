package dev.outbox.store.jooq.fault;

import org.junit.jupiter.api.Tag;

/** Faults at exact moments, on PostgreSQL. */
@Tag("postgres")
class PostgresBatchFaultTest extends BatchFaultTest {
    PostgresBatchFaultTest() {
        super(new PostgresDatabase());
    }
}
