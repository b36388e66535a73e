package dev.outbox.store.jooq;

import dev.outbox.store.jooq.internal.dialect.Dialects;
import org.junit.jupiter.api.Tag;

/** What the store promises beyond the contract, on MySQL. */
@Tag("mysql")
class MySqlStoreTest extends MySqlFamilyTest {
    MySqlStoreTest() {
        super(new MySqlHarness(), Dialects.MYSQL);
    }
}
