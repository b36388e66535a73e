package dev.outbox.store.jooq;

import org.junit.jupiter.api.Tag;

/** Batches are bounded by bytes on PostgreSQL. */
@Tag("postgres")
class PostgresLargeMessagesTest extends LargeMessagesTest {
    PostgresLargeMessagesTest() {
        super(new PostgresHarness());
    }
}
