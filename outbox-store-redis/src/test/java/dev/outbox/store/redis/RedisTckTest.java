package dev.outbox.store.redis;

import dev.outbox.tck.StoreHarness;
import dev.outbox.tck.StoreTck;
import org.junit.jupiter.api.Tag;

/** The store keeps the contract on one server. */
@Tag("redis")
class RedisTckTest extends StoreTck {
    @Override
    public StoreHarness harness() {
        return new RedisHarness();
    }
}
