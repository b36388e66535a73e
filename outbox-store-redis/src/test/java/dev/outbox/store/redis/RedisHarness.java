package dev.outbox.store.redis;

import dev.outbox.Store;
import dev.outbox.servers.RedisServer;
import dev.outbox.tck.StoreHarness;
import dev.outbox.tck.WriteTransaction;
import java.time.Duration;
import java.util.Optional;
import redis.clients.jedis.Jedis;

/** Outboxes under prefixes of their own, on one server. */
public final class RedisHarness implements StoreHarness {
    @Override
    public String createOutbox() {
        return TestAddress.fresh(RedisServer.shared().url()).toString();
    }

    @Override
    public Store open(String address) {
        return TestAddress.parse(address).open();
    }

    @Override
    public WriteTransaction begin(String address) {
        return TestAddress.parse(address).begin();
    }

    @Override
    public Optional<Duration> lease() {
        return Optional.of(TestAddress.LEASE);
    }

    @Override
    public void dropOutbox(String address) {
        try (Jedis server = RedisServer.shared().connect()) {
            TestAddress.drop(server.getConnection(), TestAddress.parse(address).prefix());
        }
    }
}
