package dev.outbox.store.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.outbox.Codecs;
import dev.outbox.Delivery;
import dev.outbox.Outbox;
import dev.outbox.Receipt;
import dev.outbox.Store;
import dev.outbox.Topic;
import dev.outbox.relay.Relay;
import dev.outbox.servers.RedisServer;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import redis.clients.jedis.AbstractTransaction;
import redis.clients.jedis.ConnectionPoolConfig;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.exceptions.JedisException;

/** Publishers that use a pool of Jedis in which no connection is free. */
@Tag("redis")
@Timeout(300)
class EmptyPoolTest {
    private final TestAddress address = TestAddress.fresh(RedisServer.shared().url());
    private final AtomicInteger refused = new AtomicInteger();
    private final Queue<Integer> attempts = new ConcurrentLinkedQueue<>();

    @AfterEach
    void drop() {
        try (Jedis server = RedisServer.shared().connect()) {
            TestAddress.drop(server.getConnection(), address.prefix());
        }
    }

    @Test
    void anEmptyPoolIsNoFaultOfAMessage() {
        ConnectionPoolConfig one = new ConnectionPoolConfig();
        one.setMaxTotal(1);
        one.setMaxWait(Duration.ofMillis(50));
        RedisUrl url = RedisUrl.parse(address.url());
        try (RedisClient pool = RedisClient.builder()
                .hostAndPort(url.hosts().iterator().next())
                .clientConfig(SettingsTest.config(url).build())
                .poolConfig(one)
                .build()) {
            Topic<String> topic = Topic.builder("orders", Codecs.text())
                    .publisher(delivery -> publish(pool, delivery))
                    .build();
            write(topic);
            try (Store store = address.open();
                    Relay relay = Relay.builder(store).topic(topic).build()) {
                try (AbstractTransaction holder = pool.multi()) {
                    relay.start();
                    Load.await(() -> refused.get() > 1, "publishers that found no connection");
                    holder.discard();
                }
                Load.await(() -> !attempts.isEmpty(), "the message");
                assertEquals(List.of(1), List.copyOf(attempts));
            }
        }
    }

    private Receipt publish(RedisClient pool, Delivery<String> delivery) {
        try {
            pool.set(address.prefix() + ":published", delivery.message());
        } catch (JedisException e) {
            refused.incrementAndGet();
            throw e;
        }
        attempts.add(delivery.attempt());
        return Receipt.taken();
    }

    private void write(Topic<String> topic) {
        try (RedisClient writer = address.client();
                AbstractTransaction tx = writer.multi()) {
            Outbox.bind(topic, address.outbox().persist(tx)).publish("m");
            RedisOutbox.exec(tx).orThrow();
        }
    }
}
