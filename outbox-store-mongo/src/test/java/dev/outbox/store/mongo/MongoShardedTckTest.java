package dev.outbox.store.mongo;

import dev.outbox.tck.NetworkHarness;
import dev.outbox.tck.NetworkTck;
import org.junit.jupiter.api.Tag;

/** The store keeps the contract on a sharded cluster. */
@Tag("mongo")
@Tag("mongo-sharded")
@Tag("versions")
class MongoShardedTckTest extends NetworkTck {
    @Override
    public NetworkHarness harness() {
        return new MongoShardedHarness();
    }
}
