package dev.outbox.store.redis;

import dev.outbox.tck.NetworkHarness;
import dev.outbox.tck.NetworkTck;
import org.junit.jupiter.api.Tag;

/** The store keeps the contract on one server. */
@Tag("redis")
class RedisTckTest extends NetworkTck {
    @Override
    public NetworkHarness harness() {
        return new RedisHarness();
    }
}
