package dev.outbox.store.mongo;

import dev.outbox.tck.NetworkHarness;
import dev.outbox.tck.NetworkTck;
import org.junit.jupiter.api.Tag;

/** The store keeps the contract on a replica set of one member. */
@Tag("mongo")
class MongoTckTest extends NetworkTck {
    @Override
    public NetworkHarness harness() {
        return new MongoHarness();
    }
}
