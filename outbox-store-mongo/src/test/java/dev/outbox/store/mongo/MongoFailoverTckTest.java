package dev.outbox.store.mongo;

import dev.outbox.tck.NetworkHarness;
import dev.outbox.tck.NetworkTck;
import org.junit.jupiter.api.Tag;

/** The store keeps the contract, and loses nothing, when another member becomes the primary. */
@Tag("mongo")
@Tag("versions")
class MongoFailoverTckTest extends NetworkTck {
    @Override
    public NetworkHarness harness() {
        return new MongoFailoverHarness();
    }
}
