package dev.outbox.store.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.DeadLetter;
import dev.outbox.MessageBatch;
import dev.outbox.Operations;
import dev.outbox.OutgoingMessage;
import dev.outbox.Store;
import dev.outbox.Stores;
import dev.outbox.servers.RedisServer;
import dev.outbox.servers.StandardError;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.AbstractTransaction;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.Protocol;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.StreamEntryID;
import redis.clients.jedis.args.Rawable;
import redis.clients.jedis.args.RawableFactory;

/** Entries that hands have written: what is wrong with them is shown, nothing overtakes them, and everything else goes on. */
@Tag("redis")
@Timeout(300)
class OddEntriesTest {
    private static final String ID = "\u0001" + "0123456789abcdef";

    private final TestAddress address = TestAddress.fresh(RedisServer.shared().url());
    private final RedisClient client = address.client();
    private final String messages = address.prefix() + ":messages:" + RedisStoreTest.TOPIC + "#0";

    @AfterEach
    void drop() {
        try (client;
                Jedis server = RedisServer.shared().connect()) {
            TestAddress.drop(server.getConnection(), address.prefix());
        }
    }

    private Store open() {
        return Stores.open(address.url(), address.options().with(RedisOutbox.LEASE, Duration.ofHours(1)));
    }

    private void commit(int partition, String... texts) {
        try (AbstractTransaction tx = client.multi()) {
            for (String text : texts) {
                address.outbox()
                        .persist(tx)
                        .persist(new OutgoingMessage(
                                RedisStoreTest.TOPIC,
                                partition,
                                "key",
                                Map.of("a", "b", "c", ""),
                                text.getBytes(StandardCharsets.UTF_8)));
            }
            RedisOutbox.exec(tx).orThrow();
        }
    }

    /** Every character is one byte. */
    private String add(String... fields) {
        List<Rawable> arguments = new ArrayList<>(List.of(RawableFactory.from(messages), RawableFactory.from("*")));
        for (String field : fields) {
            arguments.add(RawableFactory.from(field.getBytes(StandardCharsets.ISO_8859_1)));
        }
        CommandArguments command = new CommandArguments(Protocol.Command.XADD);
        arguments.forEach(command::add);
        return Reply.text(client.executeCommand(command));
    }

    private static List<Operations.FailingPartition> failing(Store store) {
        return Operations.of(store).failingPartitions();
    }

    static Stream<List<String>> odd() {
        return Stream.of(
                List.of("a", "b"),
                List.of("", ""),
                List.of("payload", "x", "id", "y"),
                List.of("\u0002" + "0123456789abcdef", "of another format"),
                List.of("\u0001" + "0123456789abcde", "too short"),
                List.of(ID + "\u0000", "ends within the length of the key"),
                List.of(ID + "\u0000\u0009key", "ends within the key"),
                List.of(ID + "\u0000\u0003\u00ff\u00fe", "a key that is no text"),
                List.of(ID + "\u0000\u0000{", "headers that end"),
                List.of(ID + "\u0000\u0000[]", "headers that are none"),
                List.of(ID + "\u0000\u0000{\"a\":1}", "a header that is a number"),
                List.of(ID + "\u0000\u0000{\"a\":null}", "a header that is nothing"),
                List.of(ID + "\u0000\u0000{\"a\":{}}", "a header that is an object"),
                List.of(ID + "\u0000\u0000{\"a\":\"b\",\"a\":\"c\"}", "a header twice"),
                List.of(ID + "\u0000\u0000{} {}", "something behind them"),
                List.of(ID, "x", "c", "yesterday"),
                List.of(ID, "x", "c", "-5"),
                List.of(ID, "x", "c", "99999999999999999999"),
                List.of(ID, "x", "c", "1", "c", "2"),
                List.of(ID, "x", "z", "a field that no message has"));
    }

    @ParameterizedTest
    @MethodSource("odd")
    void anOddEntryStopsItsPartitionAlone(List<String> fields) {
        commit(0, "before");
        String position = add(fields.toArray(String[]::new));
        commit(0, "behind");
        commit(1, "another");
        try (Store store = open();
                Store elsewhere = open()) {
            List<String> came = new ArrayList<>();
            String said = StandardError.during(() -> {
                for (int i = 0; i < 4; i++) {
                    came.addAll(RedisStoreTest.publishAll(store, 10));
                }
            });
            assertEquals(Set.of("before", "another"), Set.copyOf(came));
            assertEquals(2, came.size());
            assertEquals(2, said.split(position, -1).length - 1, "said once, with what to do: " + said);
            for (Store each : List.of(store, elsewhere)) {
                assertEquals(1, failing(each).size());
                Operations.FailingPartition shown = failing(each).get(0);
                assertEquals(0, shown.partition());
                assertTrue(
                        shown.reason().contains("XDEL '" + messages + "' " + position)
                                && shown.reason().contains("cannot be read"),
                        shown.reason());
                assertEquals(1, Operations.of(each).backlog().size());
            }
        }
    }

    @Test
    void onceItIsDeletedItsPartitionGoesOn() {
        String position = add("a", "b");
        commit(0, "behind");
        commit(1, "another");
        try (Store store = open()) {
            assertEquals(List.of("another"), RedisStoreTest.publishAll(store, 10));
            commit(1, "later");
            List<String> came = new ArrayList<>();
            Load.await(
                    () -> came.addAll(RedisStoreTest.publishAll(store, 10)), "what others wrote to other partitions");
            assertEquals(List.of("later"), came);
            client.xdel(messages, new StreamEntryID(position));
            Load.await(() -> came.addAll(RedisStoreTest.publishAll(store, 10)), "what was behind it");
            assertEquals(List.of("later", "behind"), came);
            assertEquals(List.of(), failing(store));
        }
    }

    /** In a backlog, where the next checkout goes out with a close. */
    @ParameterizedTest
    @ValueSource(ints = {60, 65, 70, 71})
    void anOddEntryInABacklogIsNotPassed(int at) {
        String[] texts = IntStream.range(0, at).mapToObj(Integer::toString).toArray(String[]::new);
        commit(0, texts);
        add("a", "b");
        commit(0, "behind");
        try (Store store = open()) {
            List<String> came = new ArrayList<>();
            Load.await(
                    () -> {
                        came.addAll(RedisStoreTest.publishAll(store, 10));
                        return came.size() >= at;
                    },
                    "what is before it");
            for (int i = 0; i < 5; i++) {
                assertEquals(List.of(), RedisStoreTest.publishAll(store, 10));
            }
            assertEquals(List.of(texts), came);
        }
    }

    /** A message that was moved by hand, as it was, is one. */
    @Test
    void whatIsWrittenAsTheOutboxDoesIsAMessage() {
        add(ID, "plain");
        add(ID + "\u0000\u0004key{\"a\":\"b\"}", "full", "c", "1785000000000");
        add(ID + "\u0000\u0001", "an empty key");
        client.zadd(address.prefix() + ":ready", 0, RedisStoreTest.TOPIC + "#0");
        try (Store store = open();
                MessageBatch batch = store.checkout(Set.of(RedisStoreTest.TOPIC), 10)) {
            assertEquals(List.of("plain", "full", "an empty key"), RedisStoreTest.texts(batch));
            assertEquals(Map.of("a", "b"), batch.messages().get(1).headers());
            assertEquals("key", batch.messages().get(1).key());
            assertEquals(1785000000000L, batch.messages().get(1).createdAt().toEpochMilli());
            assertEquals("", batch.messages().get(2).key());
            assertEquals(List.of(), failing(store));
        }
    }

    /** Lists show what can be read, and what cannot go back stays. */
    @Test
    void oddDeadLettersHideNoOthers() {
        commit(0, "dead");
        try (Store store = open()) {
            try (MessageBatch batch = store.checkout(Set.of(RedisStoreTest.TOPIC), 10)) {
                batch.deadLetter(batch.messages().get(0), "poison");
            }
            Operations operations = Operations.of(store);
            String dead = address.prefix() + ":dead:" + RedisStoreTest.TOPIC;
            StreamEntryID odd = client.xadd(dead, StreamEntryID.NEW_ENTRY, Map.of("a", "b", "q", "none"));
            client.hset(address.prefix() + ":letters", odd.toString(), RedisStoreTest.TOPIC + "#0 " + odd);
            List<DeadLetter> letters = operations.deadLetters(RedisStoreTest.TOPIC, null, 10);
            assertEquals(2, letters.size());
            assertEquals("dead", RedisStoreTest.text(letters.get(0).message()));
            assertEquals(0, operations.redrive(List.of(odd.toString())));
            assertEquals(1, operations.redrive(List.of(letters.get(0).message().id())));
            assertEquals(List.of("dead"), RedisStoreTest.publishAll(store, 10));
            assertEquals(
                    1, operations.deadLetters(RedisStoreTest.TOPIC, null, 10).size());
            assertEquals(1, operations.discard(List.of(odd.toString())));
            assertEquals(List.of(), operations.deadLetters(RedisStoreTest.TOPIC, null, 10));
        }
    }
}
