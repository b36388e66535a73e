package dev.outbox.store.redis;

import dev.outbox.tck.StoreHarness;
import dev.outbox.tck.StoreTck;
import org.junit.jupiter.api.Tag;

/** The store keeps the contract in a cluster of three. */
@Tag("redis")
class RedisClusterTckTest extends StoreTck {
    @Override
    public StoreHarness harness() {
        return new RedisClusterHarness();
    }
}
