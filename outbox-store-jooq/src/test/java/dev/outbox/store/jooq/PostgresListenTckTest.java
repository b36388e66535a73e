package dev.outbox.store.jooq;

import dev.outbox.tck.StoreHarness;
import dev.outbox.tck.StoreTck;
import org.junit.jupiter.api.Tag;

/** The store keeps the contract, wake-ups included, when it listens. */
@Tag("postgres")
class PostgresListenTckTest extends StoreTck {
    @Override
    public StoreHarness harness() {
        return new PostgresListenHarness();
    }
}
