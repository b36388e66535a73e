package dev.outbox.store.redis;

import dev.outbox.tck.NetworkHarness;
import dev.outbox.tck.NetworkTck;
import org.junit.jupiter.api.Tag;

/** The store keeps the contract when a sentinel promotes a replica that lags. */
@Tag("redis")
@Tag("versions")
class RedisFailoverTckTest extends NetworkTck {
    @Override
    public NetworkHarness harness() {
        return new RedisFailoverHarness();
    }
}
