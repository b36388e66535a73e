package dev.outbox.store.redis;

import dev.outbox.Store;
import dev.outbox.servers.RedisServer;
import dev.outbox.tck.NetworkHarness;
import dev.outbox.tck.WriteTransaction;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Optional;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.RedisClient;

/** Outboxes under prefixes of their own, on one server. */
public final class RedisHarness implements NetworkHarness {
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
    public InetSocketAddress endpoint(String address) {
        return TestAddress.parse(address).endpoint();
    }

    @Override
    public String through(String address, InetSocketAddress proxy) {
        return TestAddress.parse(address).through(proxy).toString();
    }

    @Override
    public Optional<String> backend(String address) {
        try (RedisClient client = TestAddress.parse(address).client()) {
            return Optional.of(TestAddress.product(client));
        }
    }

    @Override
    public void dropOutbox(String address) {
        try (Jedis server = RedisServer.shared().connect()) {
            TestAddress.drop(server.getConnection(), TestAddress.parse(address).prefix());
        }
    }
}
