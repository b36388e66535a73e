package dev.outbox.store.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.OutgoingMessage;
import dev.outbox.servers.RedisServer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import redis.clients.jedis.AbstractTransaction;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.resps.Tuple;

/** What a relay had in its hands when it was killed is published by another one soon after the end of the lease. */
@Tag("redis")
@Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class RecoveryTest {
    private static final int PARTITIONS = 3;
    private static final int PER_PARTITION = 10;
    private static final int BATCH_SIZE = 100;

    /** In ms; so slow a broker does not let a batch end. */
    private static final int SLOW = 600_000;

    /** On a busy machine. */
    private static final Duration MOST_AFTER_LEASE = Duration.ofSeconds(30);

    private final TestAddress address = TestAddress.fresh(RedisServer.shared().url());

    @Test
    void anotherRelayHasItAllSoonAfterTheLease() throws Exception {
        try (RedisClient client = address.client()) {
            Set<String> ids = commit(client);
            try (RelayProcess first = relay("first", SLOW)) {
                Load.await(() -> held(client) > 0, "the first relay holds all partitions");
                double taken = held(client);
                Load.await(() -> held(client) > taken, "it renews their leases");
                try (RelayProcess second = relay("second", 0)) {
                    second.awaitStart();
                    long killed = System.nanoTime();
                    first.kill();
                    Load.await(() -> second.settled.size() == ids.size(), "the second relay publishes all");
                    Duration took = Duration.ofNanos(System.nanoTime() - killed);
                    System.out.println("recovery redis after " + took.toMillis() + " ms, with a lease of "
                            + TestAddress.LEASE.toMillis() + " ms");
                    assertEquals(ids, Set.copyOf(second.settled));
                    assertTrue(took.compareTo(TestAddress.LEASE.plus(MOST_AFTER_LEASE)) < 0, "it took " + took);
                    second.stop();
                }
            }
        }
    }

    @AfterEach
    void drop() {
        try (Jedis server = RedisServer.shared().connect()) {
            TestAddress.drop(server.getConnection(), address.prefix());
        }
    }

    private RelayProcess relay(String name, int broker) throws Exception {
        return new RelayProcess(name, address.url(), address.options(), 1, BATCH_SIZE, broker);
    }

    private Set<String> commit(RedisClient client) {
        Set<String> ids = new HashSet<>();
        try (AbstractTransaction tx = client.multi()) {
            for (int i = 0; i < PARTITIONS * PER_PARTITION; i++) {
                ids.add(address.outbox()
                        .persist(tx)
                        .persist(new OutgoingMessage(
                                Load.TOPIC,
                                i % PARTITIONS,
                                null,
                                Map.of(),
                                ("m" + i).getBytes(StandardCharsets.UTF_8))));
            }
            RedisOutbox.exec(tx).orThrow();
        }
        return ids;
    }

    /** When the first of the leases ends, in ms; 0 if a partition is not held. */
    private double held(RedisClient client) {
        String ready = Reply.text(new KeyNames(address.prefix(), 1).keySpace(0).ready());
        List<Tuple> partitions = client.zrangeWithScores(ready, 0, -1);
        return partitions.size() < PARTITIONS ? 0 : partitions.get(0).getScore();
    }
}
