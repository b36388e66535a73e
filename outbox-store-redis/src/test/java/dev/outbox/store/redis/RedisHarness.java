package dev.outbox.store.redis;

import dev.outbox.Store;
import dev.outbox.servers.RedisServer;
import dev.outbox.tck.KillableServer;
import dev.outbox.tck.KillableServerHarness;
import dev.outbox.tck.WriteTransaction;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Optional;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.RedisClient;

/** Outboxes under prefixes of their own, on one server. */
public class RedisHarness implements KillableServerHarness {
    @Override
    public String createOutbox() {
        return TestAddress.fresh(RedisServer.shared().url()).toString();
    }

    @Override
    public Store open(String address) {
        return TestAddress.parse(address).openWithShortLeases();
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

    /** One that has every write in its log, on the disk, before it acknowledges it. */
    @Override
    public KillableServer startServer() throws IOException {
        RedisServer server = RedisServer.packaged();
        return new KillableServer() {
            @Override
            public String createOutbox() {
                return TestAddress.fresh(server.url()).toString();
            }

            @Override
            public void kill() {
                server.kill();
            }

            @Override
            public void restart() throws IOException {
                server.restart();
            }

            @Override
            public void dropOutbox(String address) {
                // It goes with the server.
            }

            @Override
            public void close() {
                server.close();
            }
        };
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
