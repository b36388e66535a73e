package dev.outbox.store.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.MessageBatch;
import dev.outbox.Operations;
import dev.outbox.OutgoingMessage;
import dev.outbox.PersistFunc;
import dev.outbox.PersistedMessage;
import dev.outbox.Store;
import dev.outbox.StoreException;
import dev.outbox.servers.RedisServer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import redis.clients.jedis.AbstractTransaction;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.resps.Slowlog;

/** However many dead letters an operator selects, no script works on more than some hundreds, or some megabytes. */
@Tag("redis")
@Timeout(300)
class ManyDeadLettersTest {
    private static final String TOPIC = RedisStoreTest.TOPIC;

    private final TestAddress address = TestAddress.fresh(RedisServer.shared().url());
    private final RedisClient client = address.client();
    private final Jedis server = RedisServer.shared().connect();
    private final String threshold = setting("slowlog-log-slower-than");
    private final String length = setting("slowlog-max-len");

    private String setting(String name) {
        return Objects.requireNonNull(server.configGet(name).get(name));
    }

    @BeforeEach
    void watch() {
        server.configSet("slowlog-max-len", "1000000");
        server.configSet("slowlog-log-slower-than", "0");
    }

    @AfterEach
    void drop() {
        server.configSet("slowlog-log-slower-than", threshold);
        server.configSet("slowlog-max-len", length);
        server.slowlogReset();
        try (client;
                server) {
            TestAddress.drop(server.getConnection(), address.prefix());
        }
    }

    private static OutgoingMessage message(int partition, int bytes) {
        return new OutgoingMessage(TOPIC, partition, null, Map.of(), new byte[bytes]);
    }

    /** Returns their ids, in the order of their deaths. */
    private List<String> bury(Store store, List<OutgoingMessage> messages) {
        for (int i = 0; i < messages.size(); i += 1_000) {
            try (AbstractTransaction tx = client.multi()) {
                PersistFunc persist = address.outbox().persist(tx);
                persist.persistAll(messages.subList(i, Math.min(messages.size(), i + 1_000)));
                RedisOutbox.exec(tx).orThrow();
            }
        }
        List<String> ids = new ArrayList<>();
        while (ids.size() < messages.size()) {
            try (MessageBatch batch = store.checkout(Set.of(TOPIC), 1_000)) {
                batch.messages().forEach(m -> batch.deadLetter(m, "poison"));
                batch.messages().forEach(m -> ids.add(m.id()));
            }
        }
        return ids;
    }

    /** The numbers of keys of the scripts that were run since the log was reset, the most first. */
    private List<Integer> keysOfScripts() {
        return server.slowlogGet(1_000_000).stream()
                .map(Slowlog::getArgs)
                .filter(call -> call.get(0).equalsIgnoreCase("evalsha"))
                .map(call -> Integer.parseInt(call.get(2)))
                .sorted(Collections.reverseOrder())
                .toList();
    }

    private List<String> publishAll(Store store) {
        List<String> ids = new ArrayList<>();
        for (int some = 1; some > 0; ) {
            try (MessageBatch batch = store.checkout(Set.of(TOPIC), 1_000)) {
                some = batch.messages().size();
                batch.messages().forEach(m -> batch.markPublished(m, null));
                batch.messages().stream().map(PersistedMessage::id).forEach(ids::add);
            }
        }
        return ids;
    }

    /** Where one fails, those before it are done, it is where it was, and the same call completes them. */
    @Test
    void manyAreRedrivenInParts() {
        int many = 20_000;
        try (Store store = address.open()) {
            Operations operations = Operations.of(store);
            List<OutgoingMessage> messages = new ArrayList<>();
            for (int i = 0; i < many; i++) {
                messages.add(message(i / (many - 1), 10)); // the last in another partition
            }
            List<String> ids = new ArrayList<>(bury(store, messages));
            Collections.shuffle(ids, new Random(1));
            String refused = letterOfPartition1(operations, ids);
            ids.remove(refused);
            ids.add(1_234, refused);
            String spoilt = address.prefix() + ":messages:" + TOPIC + "#1";
            server.rename(spoilt, address.prefix() + ":aside");
            server.set(spoilt, "no stream");
            assertThrows(StoreException.class, () -> operations.redrive(ids));
            assertEquals(1_234, server.xlen(address.prefix() + ":messages:" + TOPIC + "#0"), "those before it");
            assertTrue(operations.deadLetter(refused).isPresent(), "the one that cannot be put back");
            server.rename(address.prefix() + ":aside", spoilt);
            server.slowlogReset();
            assertEquals(many - 1_234, operations.redrive(ids), "what the second call found");
            List<Integer> keys = keysOfScripts();
            assertEquals(3 + 2 * 500, keys.get(0), "the most keys of a script");
            assertTrue(keys.size() >= 38, "scripts: " + keys);
            assertEquals(List.of(), operations.deadLetterTopics());
            List<String> came = publishAll(store);
            assertEquals(many, came.size());
            came.remove(refused); // of another partition
            ids.remove(refused);
            assertEquals(ids, came, "ids in the order in which they were given");
        }
    }

    private static String letterOfPartition1(Operations operations, List<String> ids) {
        return ids.stream()
                .filter(id -> operations.deadLetter(id).orElseThrow().message().partition() == 1)
                .findFirst()
                .orElseThrow();
    }

    @Test
    void largeOnesAreRedrivenFewAtATime() {
        int many = 30;
        try (Store store = address.open()) {
            List<OutgoingMessage> messages = new ArrayList<>();
            for (int i = 0; i < many; i++) {
                messages.add(message(0, 1 << 20));
            }
            List<String> ids = bury(store, messages);
            server.slowlogReset();
            assertEquals(many, Operations.of(store).redrive(ids));
            assertEquals(
                    List.of(30, 21, 12, 3),
                    keysOfScripts().stream().map(keys -> (keys - 3) / 2).toList(),
                    "letters that were left to each script, of which it did 9");
            assertEquals(ids, publishAll(store));
        }
    }

    @Test
    void topicsAreListedWithoutLookingThroughTheirLetters() {
        try (Store store = address.open()) {
            List<OutgoingMessage> messages = new ArrayList<>();
            for (int i = 0; i < 5_000; i++) {
                messages.add(message(i % 3, 10));
            }
            List<String> ids = bury(store, messages);
            Operations operations = Operations.of(store);
            operations.deadLetterTopics();
            server.slowlogReset();
            assertEquals(5_000, operations.deadLetterTopics().get(0).deadLetters());
            assertEquals(
                    List.of("evalsha", "xrevrange", "xrange", "xlen", "hkeys"),
                    server.slowlogGet(100).stream()
                            .map(entry -> entry.getArgs().get(0).toLowerCase(Locale.ROOT))
                            .filter(command -> !command.equals("slowlog"))
                            .toList());
            assertEquals(5_000, operations.discard(ids));
            assertEquals(List.of(), operations.deadLetterTopics());
        }
    }
}
