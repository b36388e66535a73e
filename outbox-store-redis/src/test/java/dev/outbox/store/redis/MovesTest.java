package dev.outbox.store.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.MisuseException;
import dev.outbox.Operations;
import dev.outbox.OutgoingMessage;
import dev.outbox.Store;
import dev.outbox.StoreException;
import dev.outbox.StoreOptions;
import dev.outbox.servers.RedisServer;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import redis.clients.jedis.AbstractTransaction;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.RedisClient;

/** Where messages cannot be moved, all of them are where they were. */
@Tag("redis")
@Timeout(300)
class MovesTest {
    private static final String TOPIC = RedisStoreTest.TOPIC;

    private final TestAddress address = TestAddress.fresh(RedisServer.shared().url());
    private final RedisClient client = address.client();

    @AfterEach
    void drop() {
        try (client;
                Jedis server = RedisServer.shared().connect()) {
            TestAddress.drop(server.getConnection(), address.prefix());
            TestAddress.drop(server.getConnection(), address.prefix().replace("}", "-0}"));
            TestAddress.drop(server.getConnection(), address.prefix().replace("}", "-1}"));
        }
    }

    private void commit(RedisOutbox.Named outbox, int partition, String key) {
        try (AbstractTransaction tx = client.multi()) {
            outbox.persist(tx).persist(new OutgoingMessage(TOPIC, partition, key, Map.of(), new byte[0]));
            RedisOutbox.exec(tx).orThrow();
        }
    }

    /** A script is not undone, so it looks at what it will write to before it writes. */
    @Test
    void aSpoiltTargetLeavesAllWhereItWas() {
        // Keys 0 and 4 are in partitions 1 and 0 of two.
        commit(address.outbox(), 0, "0");
        commit(address.outbox(), 0, "4");
        client.set(address.prefix() + ":messages:bills#0", "no stream");
        try (Store store = address.open()) {
            Operations operations = Operations.of(store);
            assertThrows(StoreException.class, () -> operations.movePending(TOPIC, "bills", 2, 10));
            assertEquals(2, client.xlen(address.prefix() + ":messages:" + TOPIC + "#0"));
            assertEquals(0, client.xlen(address.prefix() + ":messages:bills#1"));
            client.del(address.prefix() + ":messages:bills#0");
            assertEquals(2, operations.movePending(TOPIC, "bills", 2, 10));
            assertEquals(1, client.xlen(address.prefix() + ":messages:bills#0"));
            assertEquals(1, client.xlen(address.prefix() + ":messages:bills#1"));
            assertEquals(0, client.xlen(address.prefix() + ":messages:" + TOPIC + "#0"));
        }
    }

    @Test
    void aSpreadOutboxMovesWithinAHashTag() {
        RedisOutbox.Named spread = address.outbox().spread(2);
        commit(spread, 1, "0");
        try (Store store = spread.store(client, StoreOptions.defaults())) {
            Operations operations = Operations.of(store);
            String refused = assertThrows(MisuseException.class, () -> operations.movePending(TOPIC, "bills", 1, 10))
                    .getMessage();
            assertTrue(refused.contains("spread"), refused);
            assertEquals(TOPIC, operations.backlog().get(0).topic(), "nothing was moved");
            assertEquals(1, operations.movePending(TOPIC, "bills", 2, 10));
            assertEquals("bills", operations.backlog().get(0).topic());
            assertEquals(1, operations.backlog().get(0).partition());
            assertEquals(1, operations.removePending("bills", 10));
            assertEquals(0, operations.backlog().size());
        }
    }
}
