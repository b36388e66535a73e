package dev.outbox.store.jooq;

import dev.outbox.tck.StoreHarness;
import dev.outbox.tck.StoreTck;

/** The store keeps the contract on H2. */
class H2TckTest extends StoreTck {
    @Override
    public StoreHarness harness() {
        return new H2Harness();
    }
}
