package dev.outbox.store.redis;

import dev.outbox.Store;
import dev.outbox.servers.RedisCluster;
import dev.outbox.tck.NetworkHarness;
import dev.outbox.tck.WriteTransaction;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Optional;
import redis.clients.jedis.RedisClusterClient;

/** Outboxes in a cluster, each with a hash tag of its own, and so on any of its servers. */
public final class RedisClusterHarness implements NetworkHarness {
    @Override
    public String createOutbox() {
        return TestAddress.fresh(RedisCluster.shared().url()).toString();
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

    /** Where it is said which of the servers is wanted, because there is one proxy for all of them. */
    @Override
    public InetSocketAddress endpoint(String address) throws IOException {
        return Switchboard.exchange();
    }

    @Override
    public String through(String address, InetSocketAddress proxy) {
        return TestAddress.parse(address).through(proxy).toString();
    }

    @Override
    public Optional<String> backend(String address) {
        try (RedisClusterClient client = TestAddress.parse(address).clusterClient()) {
            return Optional.of(TestAddress.product(client) + ", cluster");
        }
    }

    @Override
    public void dropOutbox(String address) {
        TestAddress outbox = TestAddress.parse(address);
        try (RedisClusterClient client = outbox.clusterClient()) {
            client.getClusterNodes().values().forEach(pool -> {
                try (var connection = pool.getResource()) {
                    TestAddress.drop(connection, outbox.prefix());
                }
            });
        }
    }
}
