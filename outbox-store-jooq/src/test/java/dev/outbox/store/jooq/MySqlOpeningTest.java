package dev.outbox.store.jooq;

import org.junit.jupiter.api.Tag;

/** What is refused on MySQL. */
@Tag("mysql")
class MySqlOpeningTest extends MySqlFamilyOpeningTest {
    MySqlOpeningTest() {
        super(new MySqlHarness());
    }
}
