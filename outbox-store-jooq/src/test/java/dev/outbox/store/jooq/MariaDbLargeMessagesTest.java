package dev.outbox.store.jooq;

import org.junit.jupiter.api.Tag;

/** Batches are bounded by bytes on this server. */
@Tag("mariadb")
class MariaDbLargeMessagesTest extends LargeMessagesTest {
    MariaDbLargeMessagesTest() {
        super(new MariaDbHarness());
    }
}
