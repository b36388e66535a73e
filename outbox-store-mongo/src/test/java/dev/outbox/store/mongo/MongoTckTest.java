package dev.outbox.store.mongo;

import dev.outbox.tck.StoreHarness;
import dev.outbox.tck.StoreTck;
import org.junit.jupiter.api.Tag;

/** The store keeps the contract on a replica set of one member. */
@Tag("mongo")
class MongoTckTest extends StoreTck {
    @Override
    public StoreHarness harness() {
        return new MongoHarness();
    }
}
