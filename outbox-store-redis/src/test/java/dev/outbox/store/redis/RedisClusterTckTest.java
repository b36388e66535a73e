package dev.outbox.store.redis;

import dev.outbox.tck.NetworkHarness;
import dev.outbox.tck.NetworkTck;
import org.junit.jupiter.api.Tag;

/** The store keeps the contract in a cluster of three. */
@Tag("redis")
class RedisClusterTckTest extends NetworkTck {
    @Override
    public NetworkHarness harness() {
        return new RedisClusterHarness();
    }
}
