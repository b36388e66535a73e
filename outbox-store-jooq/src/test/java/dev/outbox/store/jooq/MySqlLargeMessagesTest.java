package dev.outbox.store.jooq;

import org.junit.jupiter.api.Tag;

/** Batches are bounded by bytes on this server. */
@Tag("mysql")
class MySqlLargeMessagesTest extends LargeMessagesTest {
    MySqlLargeMessagesTest() {
        super(new MySqlHarness());
    }
}
