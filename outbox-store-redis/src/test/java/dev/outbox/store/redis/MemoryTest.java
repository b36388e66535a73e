package dev.outbox.store.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.MessageBatch;
import dev.outbox.Operations;
import dev.outbox.OutgoingMessage;
import dev.outbox.PersistedMessage;
import dev.outbox.Store;
import dev.outbox.servers.RedisServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import redis.clients.jedis.AbstractTransaction;
import redis.clients.jedis.RedisClient;

/** Memory is full, so that writes are refused; draining goes on. */
@Tag("redis")
@Timeout(300)
class MemoryTest {
    @Test
    void aFullOutboxIsOpenedAndDrained() throws Exception {
        try (RedisServer server = RedisServer.packaged("--maxmemory", "6mb", "--maxmemory-policy", "noeviction")) {
            TestAddress address = TestAddress.fresh(server.url());
            try (RedisClient client = address.client()) {
                List<String> ids = fill(address, client);
                assertTrue(ids.size() > 100, "written before memory was full: " + ids.size());
                List<String> settled = new ArrayList<>();
                try (Store store = address.open()) {
                    Operations operations = Operations.of(store);
                    try (MessageBatch batch = store.checkout(Set.of(RedisStoreTest.TOPIC), 30)) {
                        assertFull(address, client);
                        for (PersistedMessage message : batch.messages()) {
                            switch (message.partition()) {
                                case 0 -> batch.markPublished(message, null);
                                case 1 -> batch.deadLetter(message, "no");
                                default -> batch.markFailed(message, "away", Duration.ofDays(1));
                            }
                            if (message.partition() == 0) {
                                settled.add(message.id());
                            }
                        }
                    }
                    refill(address, client);
                    List<String> dead = operations.deadLetters(RedisStoreTest.TOPIC, null, 10).stream()
                            .map(letter -> letter.message().id())
                            .toList();
                    assertEquals(10, dead.size());
                    assertTrue(operations.retryNow(RedisStoreTest.TOPIC, 2), "a delay ended");
                    assertEquals(5, operations.redrive(dead.subList(0, 5)));
                    assertEquals(5, operations.discard(dead.subList(5, 10)));
                    settled.addAll(dead.subList(5, 10));
                    for (List<String> some = drain(store); !some.isEmpty(); some = drain(store)) {
                        settled.addAll(some);
                    }
                }
                assertTrue(settled.containsAll(ids), "all that was acknowledged came");
            }
        }
    }

    private static List<String> drain(Store store) {
        try (MessageBatch batch = store.checkout(Set.of(RedisStoreTest.TOPIC), 50)) {
            batch.messages().forEach(m -> batch.markPublished(m, null));
            return batch.messages().stream().map(PersistedMessage::id).toList();
        }
    }

    private static List<String> fill(TestAddress address, RedisClient client) {
        List<String> ids = new ArrayList<>();
        while (true) {
            String id = write(address, client);
            if (id == null) {
                return ids;
            }
            ids.add(id);
        }
    }

    private static int next;

    private static @Nullable String write(TestAddress address, RedisClient client) {
        try (AbstractTransaction tx = client.multi()) {
            String id = address.outbox()
                    .persist(tx)
                    .persist(new OutgoingMessage(RedisStoreTest.TOPIC, next++ % 3, null, Map.of(), new byte[10_000]));
            TransactionResult result = RedisOutbox.exec(tx);
            if (result instanceof TransactionResult.NothingWritten nothing) {
                assertTrue(nothing.why().contains("OOM"), nothing.why());
                return null;
            }
            result.orThrow();
            return id;
        }
    }

    private static void assertFull(TestAddress address, RedisClient client) {
        assertEquals(null, write(address, client), "a write while memory is full");
    }

    private static void refill(TestAddress address, RedisClient client) {
        while (write(address, client) != null) {
            // until it is refused again
        }
    }
}
