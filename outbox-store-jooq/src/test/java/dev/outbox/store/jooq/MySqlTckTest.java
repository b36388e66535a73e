package dev.outbox.store.jooq;

import dev.outbox.tck.StoreHarness;
import dev.outbox.tck.StoreTck;
import org.junit.jupiter.api.Tag;

/** The store keeps the contract on MySQL. */
@Tag("mysql")
class MySqlTckTest extends StoreTck {
    @Override
    public StoreHarness harness() {
        return new MySqlHarness();
    }
}
