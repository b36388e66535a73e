package dev.outbox.store.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.Capability;
import dev.outbox.DeadLetter;
import dev.outbox.HoldLostException;
import dev.outbox.MessageBatch;
import dev.outbox.MisuseException;
import dev.outbox.Operations;
import dev.outbox.OutgoingMessage;
import dev.outbox.PersistFunc;
import dev.outbox.PersistedMessage;
import dev.outbox.Store;
import dev.outbox.StoreException;
import dev.outbox.StoreOptions;
import dev.outbox.servers.RedisServer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import redis.clients.jedis.AbstractTransaction;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.StreamEntryID;
import redis.clients.jedis.args.ClientType;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.params.ClientKillParams;
import redis.clients.jedis.params.RestoreParams;
import redis.clients.jedis.params.XAddParams;

/** What the store promises beyond the contract, on one server. */
@Tag("redis")
@Timeout(300)
class RedisStoreTest {
    static final String TOPIC = "orders";

    private TestAddress address = TestAddress.fresh(RedisServer.shared().url());
    private RedisClient client = address.client();

    @BeforeEach
    void create() {
        address = TestAddress.fresh(RedisServer.shared().url());
        client = address.client();
    }

    @AfterEach
    void drop() {
        client.close();
        try (Jedis server = RedisServer.shared().connect()) {
            TestAddress.drop(server.getConnection(), address.prefix());
        }
    }

    static OutgoingMessage message(int partition, String text) {
        return new OutgoingMessage(TOPIC, partition, null, Map.of(), text.getBytes(StandardCharsets.UTF_8));
    }

    void commit(int partition, String... texts) {
        try (AbstractTransaction tx = client.multi()) {
            for (String text : texts) {
                address.outbox().persist(tx).persist(message(partition, text));
            }
            RedisOutbox.exec(tx).orThrow();
        }
    }

    static String text(PersistedMessage message) {
        return new String(message.payload(), StandardCharsets.UTF_8);
    }

    static List<String> texts(MessageBatch batch) {
        return batch.messages().stream().map(RedisStoreTest::text).toList();
    }

    static List<String> publishAll(Store store, int limit) {
        try (MessageBatch batch = store.checkout(Set.of(TOPIC), limit)) {
            batch.messages().forEach(m -> batch.markPublished(m, null));
            return texts(batch);
        }
    }

    @Test
    void aTransactionThatHasNotBegunIsRefused() {
        try (AbstractTransaction tx = client.transaction(false);
                Store store = address.open()) {
            PersistFunc persist = address.outbox().persist(tx);
            assertTrue(assertThrows(MisuseException.class, () -> persist.persist(message(0, "a")))
                    .getMessage()
                    .contains("multi()"));
            tx.multi();
            persist.persist(message(0, "b"));
            assertEquals(List.of(), publishAll(store, 10));
            RedisOutbox.exec(tx).orThrow();
            assertEquals(List.of("b"), publishAll(store, 10));
        }
    }

    /** What is queued after a discard, or after an execution, is indexed anew, or nobody would find it. */
    @Test
    void aTransactionObjectMayBeUsedAgain() {
        try (AbstractTransaction tx = client.transaction(false);
                Store store = address.open()) {
            PersistFunc persist = address.outbox().persist(tx);
            tx.multi();
            persist.persist(message(0, "discarded"));
            tx.discard();
            for (String text : List.of("first", "second")) {
                tx.multi();
                persist.persist(message(0, text));
                RedisOutbox.exec(tx).orThrow();
                assertEquals(List.of(text), publishAll(store, 10));
            }
        }
    }

    /** Nor is one that was executed meanwhile: the message would be there, whatever becomes of the next. */
    @Test
    void aTransactionThatHasEndedIsRefused() {
        try (AbstractTransaction tx = client.multi();
                Store store = address.open()) {
            PersistFunc persist = address.outbox().persist(tx);
            persist.persist(message(0, "a"));
            RedisOutbox.exec(tx).orThrow();
            assertThrows(MisuseException.class, () -> persist.persist(message(0, "b")));
            assertEquals(List.of("a"), publishAll(store, 10));
        }
    }

    /** Nor is one that was discarded or closed, whose connection may be somebody else's by now; and what it had queued is gone. */
    @Test
    void aTransactionThatWasGivenUpIsRefused() {
        try (Store store = address.open()) {
            for (boolean discard : new boolean[] {true, false}) {
                AbstractTransaction tx = client.multi();
                PersistFunc persist = address.outbox().persist(tx);
                persist.persist(message(0, "given up"));
                if (discard) {
                    tx.discard();
                } else {
                    tx.close();
                }
                String said = assertThrows(MisuseException.class, () -> persist.persist(message(0, "later")))
                        .getMessage();
                assertTrue(said.contains("multi()"), said);
                assertThrows(IllegalStateException.class, () -> RedisOutbox.exec(tx));
                if (discard) {
                    tx.close();
                }
                assertEquals("PONG", client.ping());
                assertEquals(List.of(), publishAll(store, 10));
            }
        }
    }

    /** The server would take the same close once more for an answer that was lost. */
    @Test
    void closingABatchAgainAsksNobody() {
        commit(0, "1", "2");
        RedisClient other = address.client();
        try (Store store = address.outbox().store(other, address.options().withWakeUp(false))) {
            MessageBatch batch = store.checkout(Set.of(TOPIC), 1);
            batch.markPublished(batch.messages().get(0), null);
            batch.close();
            other.close();
            batch.close();
        }
        try (Store store = address.open()) {
            assertEquals(List.of("2"), publishAll(store, 10));
        }
    }

    /** More than a batch holds: those that had no place have one in the next. */
    @Test
    void partitionsTakeTurnsIfThereAreMany() {
        for (int partition = 0; partition < 256; partition++) {
            commit(partition, "1", "2", "3", "4", "5", "6", "7", "8", "9", "10");
        }
        try (Store store = address.open()) {
            Set<Integer> served = new HashSet<>();
            for (int i = 0; i < 2; i++) {
                try (MessageBatch batch = store.checkout(Set.of(TOPIC), 400)) {
                    batch.messages().forEach(m -> batch.markPublished(m, null));
                    served.addAll(partitions(batch));
                }
            }
            assertEquals(256, served.size());
        }
    }

    @Test
    void aChangedWatchedKeyWritesNothing() {
        String key = address.prefix() + ":stock";
        try (AbstractTransaction tx = client.transaction(false);
                Store store = address.open()) {
            tx.watch(key);
            client.set(key, "changed");
            tx.multi();
            address.outbox().persist(tx).persist(message(0, "a"));
            TransactionResult result = RedisOutbox.exec(tx);
            assertInstanceOf(TransactionResult.NothingWritten.class, result);
            assertTrue(assertThrows(StoreException.class, result::orThrow)
                    .getMessage()
                    .contains("watched key"));
            assertEquals(List.of(), publishAll(store, 10));
        }
    }

    @Test
    void aCommandThatCannotBeQueuedWritesNothing() {
        try (AbstractTransaction tx = client.multi();
                Store store = address.open()) {
            address.outbox().persist(tx).persist(message(0, "a"));
            tx.sendCommand(() -> "NOSUCHCOMMAND".getBytes(StandardCharsets.US_ASCII), new byte[0]);
            TransactionResult result = RedisOutbox.exec(tx);
            String why = assertInstanceOf(TransactionResult.NothingWritten.class, result)
                    .why();
            assertTrue(why.contains("NOSUCHCOMMAND"), why);
            assertEquals(List.of(), publishAll(store, 10));
        }
    }

    /** As Redis has it, and as the documentation says: what fails while it is carried out rolls nothing back. */
    @Test
    void aCommandThatFailsLaterRollsNothingBack() {
        String key = address.prefix() + ":text";
        client.set(key, "no number");
        try (AbstractTransaction tx = client.multi();
                Store store = address.open()) {
            tx.incr(key);
            address.outbox().persist(tx).persist(message(0, "a"));
            TransactionResult result = RedisOutbox.exec(tx);
            TransactionResult.PartlyWritten partly = assertInstanceOf(TransactionResult.PartlyWritten.class, result);
            assertTrue(
                    partly.why().contains("command 1 of 4") && partly.why().contains("not an integer"), partly.why());
            assertInstanceOf(JedisDataException.class, partly.results().get(0));
            assertTrue(assertThrows(StoreException.class, result::orThrow)
                    .getMessage()
                    .contains("does not roll back"));
            assertEquals(List.of("a"), publishAll(store, 10));
        }
    }

    @Test
    void aLostAnswerIsSaidToBeUnknown() {
        try (AbstractTransaction tx = client.multi();
                Jedis other = RedisServer.shared().connect()) {
            address.outbox().persist(tx).persist(message(0, "a"));
            other.clientKill(
                    ClientKillParams.clientKillParams().type(ClientType.NORMAL).skipMe(ClientKillParams.SkipMe.YES));
            TransactionResult result = RedisOutbox.exec(tx);
            assertInstanceOf(TransactionResult.Unknown.class, result);
            assertTrue(assertThrows(StoreException.class, result::orThrow)
                    .getMessage()
                    .startsWith("Either all"));
        }
    }

    @Test
    void everyRoundTripIsAccountedFor() {
        try (Store store = address.open()) {
            String[] many = new String[200];
            Arrays.fill(many, "m");
            commit(0, many);
            publishAll(store, 1);
            List<Map<String, Long>> polls = new ArrayList<>();
            for (int i = 0; i < 50; i++) {
                polls.add(Calls.during(() -> publishAll(store, 1)).only("evalsha", "xrange"));
            }
            Map<String, Long> batch = Map.of("evalsha", 2L, "xrange", 2L);
            assertTrue(polls.contains(batch), "taking, reading, and closing, which looks at the last: " + polls);
            polls.removeAll(Set.of(batch, Map.of("evalsha", 3L, "xrange", 2L)));
            assertEquals(List.of(), polls, "now and then one more, to look for partitions");
            publishAll(store, 1_000);
            publishAll(store, 10);
            Calls idle = Calls.during(() -> publishAll(store, 10));
            assertEquals(Map.of("evalsha", 1L), idle.byName(), "an idle poll, which writes nothing");
        }
        try (AbstractTransaction tx = client.multi()) {
            PersistFunc persist = address.outbox().persist(tx);
            Calls write = Calls.during(() -> {
                persist.persist(message(0, "5"));
                persist.persist(message(0, "6"));
                RedisOutbox.exec(tx).orThrow();
            });
            assertEquals(
                    Map.of("xadd", 2L, "zadd", 2L, "publish", 2L, "exec", 1L),
                    write.byName(),
                    "two messages in a transaction that had begun");
        }
        try (AbstractTransaction tx = client.multi()) {
            PersistFunc persist = address.outbox().withoutWakeUps().persist(tx);
            Calls write = Calls.during(() -> {
                persist.persist(message(0, "7"));
                RedisOutbox.exec(tx).orThrow();
            });
            assertEquals(Map.of("xadd", 1L, "zadd", 1L, "exec", 1L), write.byName(), "without wake-ups");
        }
    }

    /** What the server has carried out; of what scripts do, what a client may send too. */
    record Calls(Map<String, Long> byName) {
        static Calls during(Runnable action) {
            try (Jedis server = RedisServer.shared().connect()) {
                Map<String, Long> before = now(server);
                action.run();
                Map<String, Long> after = now(server);
                after.replaceAll((name, calls) -> calls - before.getOrDefault(name, 0L));
                after.values().removeIf(calls -> calls == 0);
                after.keySet().removeIf(name -> name.equals("info") || !TOP_LEVEL.contains(name));
                return new Calls(after);
            }
        }

        Map<String, Long> only(String... keyNames) {
            Map<String, Long> some = new HashMap<>(byName);
            some.keySet().retainAll(Set.of(keyNames));
            return some;
        }

        private static final Set<String> TOP_LEVEL =
                Set.of("evalsha", "eval", "xrange", "exec", "publish", "xadd", "zadd", "zcard");

        private static Map<String, Long> now(Jedis server) {
            return server.info("commandstats")
                    .lines()
                    .filter(line -> line.startsWith("cmdstat_"))
                    .collect(Collectors.toMap(
                            line -> line.substring("cmdstat_".length(), line.indexOf(':')),
                            line -> Long.parseLong(line.replaceAll(".*:calls=(\\d+),.*", "$1")),
                            (a, b) -> a,
                            HashMap::new));
        }
    }

    @Test
    void besideOthersABatchLeavesPartitionsToThem() {
        String[] many = new String[50];
        Arrays.setAll(many, i -> "m" + i);
        for (int partition = 0; partition < 16; partition++) {
            commit(partition, many);
        }
        try (Store one = address.open();
                Store two = address.open()) {
            try (MessageBatch all = one.checkout(Set.of(TOPIC), 16)) {
                assertEquals(16, partitions(all).size(), "alone, all partitions have a place");
                assertEquals(List.of(), texts(two.checkout(Set.of(TOPIC), 16)));
            }
            try (MessageBatch some = two.checkout(Set.of(TOPIC), 16);
                    MessageBatch others = one.checkout(Set.of(TOPIC), 16)) {
                assertEquals(4, partitions(some).size(), "after it met another, the square root");
                assertEquals(16, others.messages().size(), "work for the other");
            }
        }
    }

    private static Set<Integer> partitions(MessageBatch batch) {
        return Set.copyOf(
                batch.messages().stream().map(PersistedMessage::partition).toList());
    }

    @Test
    void aFailingPartitionIsListedUntilItsHeadIsSettled() {
        try (Store store = address.open()) {
            commit(0, "1", "2", "3");
            try (MessageBatch batch = store.checkout(Set.of(TOPIC), 10)) {
                batch.markFailed(batch.messages().get(0), "away", Duration.ZERO);
                batch.markFailed(batch.messages().get(1), "away", Duration.ZERO);
            }
            try (MessageBatch batch = store.checkout(Set.of(TOPIC), 10)) {
                batch.markPublished(batch.messages().get(2), null); // the head is released
            }
            Operations operations = Operations.of(store);
            assertEquals(1, operations.failingPartitions().size(), "the head was released, and has failed");
            String first = operations.failingPartitions().get(0).messageId();
            assertEquals(List.of("1"), publishAll(store, 1));
            assertEquals(1, operations.failingPartitions().size(), "the next one has failed too");
            assertNotEquals(first, operations.failingPartitions().get(0).messageId());
            assertEquals(List.of("2"), publishAll(store, 1));
            assertEquals(List.of(), operations.failingPartitions());
        }
        assertEquals(
                Set.of("state:orders#0", "messages:orders#0"), keys(), "attempts, and the index, of what is settled");
    }

    private Set<String> keys() {
        try (Jedis server = RedisServer.shared().connect()) {
            return server.keys(address.prefix() + ":*").stream()
                    .map(key -> key.substring(address.prefix().length() + 1))
                    .collect(Collectors.toSet());
        }
    }

    /** The stream knows the last position it gave out, also when it is empty. */
    @Test
    void positionsGoOnWhenAllIsSettled() {
        try (Store store = address.open()) {
            commit(0, "1");
            String key = address.prefix() + ":messages:orders#0";
            StreamEntryID before = client.xinfoStream(key).getLastGeneratedId();
            publishAll(store, 10);
            assertEquals(before, client.xinfoStream(key).getLastGeneratedId());
        }
    }

    /** Others may delete what they like: what is left goes on, and no batch is stuck. */
    @Test
    void messagesDeletedByHandBlockNothing() {
        try (Store store = address.open()) {
            commit(0, "poison", "2");
            try (MessageBatch batch = store.checkout(Set.of(TOPIC), 1)) {
                batch.markFailed(batch.messages().get(0), "away", Duration.ofDays(1));
            }
            client.xtrim(address.prefix() + ":messages:orders#0", 0, false);
            assertEquals(List.of(), publishAll(store, 10));
            commit(1, "a", "b");
            try (MessageBatch batch = store.checkout(Set.of(TOPIC), 10)) {
                client.del(address.prefix() + ":ready");
                client.xtrim(address.prefix() + ":messages:orders#1", 0, false);
                batch.markPublished(batch.messages().get(0), null);
                batch.deadLetter(batch.messages().get(1), "poison");
            }
            commit(1, "c");
            assertEquals(List.of("c"), publishAll(store, 10));
        }
    }

    /**
     * A replica that has not got the last message becomes master, still knows the hold, and gives the position out again, its
     * clock being behind: what the batch has read is not what lies there.
     */
    @Test
    void whatTookThePlaceOfWhatWasReadStays() {
        String messages = address.prefix() + ":messages:orders#0";
        try (Store store = address.open()) {
            commit(0, "1", "2");
            byte[] before = client.dump(messages);
            commit(0, "3", "4");
            MessageBatch batch = store.checkout(Set.of(TOPIC), 3);
            assertEquals(List.of("1", "2", "3"), texts(batch));
            batch.messages().forEach(message -> batch.markPublished(message, null));
            StreamEntryID read = client.xrange(messages, "-", "+").get(2).getID();
            client.restore(messages, 0, before, RestoreParams.restoreParams().replace());
            client.xadd(
                    messages, Map.of("by", "others"), XAddParams.xAddParams().id(read));

            String said = assertThrows(HoldLostException.class, batch::close).getMessage();
            assertTrue(said.contains("the server was replaced"), said);
            assertEquals(List.of("1", "2"), publishAll(store, 10));
            assertEquals(1, client.xlen(messages), "what others wrote");
        }
    }

    /** There what was read is missing, and other messages lie where it was trimmed before. */
    @Test
    void whatCameBeforeThePlaceOfWhatWasReadStays() {
        String messages = address.prefix() + ":messages:orders#0";
        try (Store store = address.open()) {
            commit(0, "1");
            byte[] before = client.dump(messages);
            commit(0, "2", "3");
            MessageBatch batch = store.checkout(Set.of(TOPIC), 10);
            batch.messages().forEach(message -> batch.markPublished(message, null));
            StreamEntryID read = client.xrange(messages, "-", "+").get(1).getID();
            client.restore(messages, 0, before, RestoreParams.restoreParams().replace());
            client.xadd(
                    messages, Map.of("by", "others"), XAddParams.xAddParams().id(read));

            batch.close(); // settles what is left of what it has read
            assertEquals(1, client.xlen(messages), "what others wrote");
        }
    }

    @Test
    void aBatchWhoseLastMessageWasDeletedByHandSettlesTheRest() {
        String messages = address.prefix() + ":messages:orders#0";
        try (Store store = address.open()) {
            commit(0, "1", "2", "3", "4", "5");
            MessageBatch batch = store.checkout(Set.of(TOPIC), 4);
            batch.markPublished(batch.messages().get(0), null);
            batch.markPublished(batch.messages().get(1), null);
            batch.deadLetter(batch.messages().get(2), "poison");
            batch.markFailed(batch.messages().get(3), "away", Duration.ofDays(1));
            client.xdel(messages, client.xrange(messages, "-", "+").get(3).getID());
            batch.close();
            assertEquals(List.of("5"), publishAll(store, 10));
            assertEquals(
                    List.of("3"),
                    Operations.of(store).deadLetters(TOPIC, null, 10).stream()
                            .map(letter -> text(letter.message()))
                            .toList());
            assertEquals(List.of(), Operations.of(store).failingPartitions());
        }
    }

    @Test
    void aDeadLetterKeepsAllThereWas() {
        Map<String, String> headers = new HashMap<>();
        for (int i = 0; i < 6_000; i++) {
            headers.put("h" + i, "");
        }
        String key = "\u6f22".repeat(1_000);
        String id;
        try (AbstractTransaction tx = client.multi()) {
            id = address.outbox().persist(tx).persist(new OutgoingMessage(TOPIC, 3, key, headers, new byte[] {0, -1}));
            RedisOutbox.exec(tx).orThrow();
        }
        try (Store store = address.open()) {
            for (int round = 0; round < 2; round++) {
                try (MessageBatch batch = store.checkout(Set.of(TOPIC), 10)) {
                    PersistedMessage message = batch.messages().get(0);
                    assertEquals(key, message.key());
                    assertEquals(headers, message.headers());
                    batch.deadLetter(message, "no");
                }
                DeadLetter letter = Operations.of(store).deadLetter(id).orElseThrow();
                assertEquals(headers, letter.message().headers());
                assertEquals(key, letter.message().key());
                assertEquals(3, letter.message().partition());
                assertEquals(1, Operations.of(store).redrive(List.of(id)));
            }
        }
    }

    /** As after a restore of messages by hand, with another number of partitions. */
    @Test
    void aLetterOfTheSameIdGivesWayInAnyPartitionOfItsTopic() {
        commit(0, "m");
        KeySpace keySpace = new KeyNames(address.prefix(), 1).keySpace(0);
        byte[] first = keySpace.keys(new Partition(TOPIC, 0)).messages();
        KeySpace.Keys second = keySpace.keys(new Partition(TOPIC, 1));
        client.copy(first, second.messages(), false);
        client.zadd(keySpace.ready(), 0, second.member());
        try (Store store = address.open()) {
            try (MessageBatch batch = store.checkout(Set.of(TOPIC), 10)) {
                batch.deadLetter(batch.messages().get(0), "first");
            }
            try (MessageBatch batch = store.checkout(Set.of(TOPIC), 10)) {
                batch.deadLetter(batch.messages().get(0), "second");
            }
            assertEquals(
                    List.of("second"),
                    Operations.of(store).deadLetters(TOPIC, null, 10).stream()
                            .map(DeadLetter::reason)
                            .toList());
        }
    }

    /** One unmarked between marked ones, hundreds of times: what is deleted is what was marked. */
    @Test
    void onlyWhatWasMarkedIsDeleted() {
        String[] many = new String[3_000];
        Arrays.setAll(many, i -> "m" + i);
        commit(0, many);
        List<String> expected = new ArrayList<>();
        try (Store store = address.open()) {
            try (MessageBatch batch = store.checkout(Set.of(TOPIC), 3_000)) {
                for (int i = 0; i < 3_000; i++) {
                    if (i % 7 == 3) {
                        expected.add("m" + i);
                    } else if (i % 7 == 4) {
                        batch.deadLetter(batch.messages().get(i), "dead");
                    } else {
                        batch.markPublished(batch.messages().get(i), null);
                    }
                }
            }
            assertEquals(expected, publishAll(store, 3_000));
            assertEquals(
                    428, Operations.of(store).deadLetters(TOPIC, null, 5_000).size());
        }
    }

    /** Scripts that the server has forgotten are sent again, in the middle of everything. */
    @Test
    void forgottenScriptsAreSentAgain() {
        try (Store store = address.open();
                Jedis server = RedisServer.shared().connect()) {
            for (int round = 0; round < 20; round++) {
                commit(round % 3, "m" + round);
                server.scriptFlush();
                try (MessageBatch batch = store.checkout(Set.of(TOPIC), 10)) {
                    server.scriptFlush();
                    batch.messages().forEach(m -> batch.markPublished(m, null));
                    assertEquals(List.of("m" + round), texts(batch));
                }
                server.scriptFlush();
                Operations.of(store).backlog();
            }
        }
    }

    /** All connections of the pool are cut, again and again; nobody notices, or is told and tries again. */
    @Test
    void lostConnectionsAreReplaced() {
        try (Store store = address.open();
                Jedis server = RedisServer.shared().connect()) {
            for (int round = 0; round < 10; round++) {
                commit(0, "m" + round);
                kill(server);
                try (MessageBatch batch = store.checkout(Set.of(TOPIC), 10)) {
                    kill(server);
                    batch.messages().forEach(m -> batch.markPublished(m, null));
                    assertEquals(List.of("m" + round), texts(batch));
                }
            }
            assertEquals(List.of(), publishAll(store, 10));
        }
    }

    /** The connections of stores, which have that name. */
    private static void kill(Jedis server) {
        server.clientList()
                .lines()
                .filter(line -> line.contains(" name=outbox "))
                .map(line -> line.replaceAll(".*addr=(\\S+) .*", "$1"))
                .forEach(addr -> {
                    try {
                        server.clientKill(addr);
                    } catch (JedisDataException e) {
                        // gone by itself
                    }
                });
    }

    @Test
    void theApplicationsClientIsUsedAndStaysOpen() {
        commit(0, "1");
        try (Store store = address.outbox().store(client, StoreOptions.defaults())) {
            assertEquals(List.of("1"), publishAll(store, 10));
        }
        assertEquals("PONG", client.ping());
        try (Store store = address.outbox().withoutWakeUps().store(client, StoreOptions.defaults())) {
            assertFalse(store.capabilities().has(Capability.WAKE_UP));
        }
    }

    @Test
    void deadLettersOfOneMomentAreAllOnSomePage() {
        String[] many = new String[100];
        Arrays.setAll(many, i -> "m" + i);
        RedisOutbox.Named spread = address.outbox().spread(4);
        List<String> ids = new ArrayList<>();
        try (AbstractTransaction tx = client.multi()) {
            for (int i = 0; i < 100; i++) {
                ids.add(spread.persist(tx).persist(message(i % 8, many[i])));
            }
            RedisOutbox.exec(tx).orThrow();
        }
        try (Store store = spread.store(client, StoreOptions.defaults())) {
            int buried = 0;
            while (buried < 100) {
                try (MessageBatch batch = store.checkout(Set.of(TOPIC), 100)) {
                    Set<Integer> tags = Set.copyOf(batch.messages().stream()
                            .map(m -> m.partition() % 4)
                            .toList());
                    assertEquals(1, tags.size(), "a batch is of one slot");
                    batch.messages().forEach(m -> batch.deadLetter(m, "dead"));
                    buried += batch.messages().size();
                }
            }
            Operations operations = Operations.of(store);
            List<String> listed = new ArrayList<>();
            for (List<DeadLetter> page = operations.deadLetters(TOPIC, null, 7);
                    !page.isEmpty();
                    page = operations.deadLetters(TOPIC, listed.get(listed.size() - 1), 7)) {
                page.forEach(letter -> listed.add(letter.message().id()));
            }
            assertEquals(100, listed.size());
            List<String> sorted = new ArrayList<>(listed);
            Collections.sort(sorted);
            Collections.sort(ids);
            assertEquals(ids, sorted);
            assertEquals(100, operations.redrive(ids));
            assertEquals(8, operations.backlog().size());
        }
    }

    @Test
    void aCheckoutThatTookLongerThanItsLeaseIsHandedOutWithALeaseThatHolds() {
        commit(0, "a");
        StoreOptions options = StoreOptions.defaults().with(RedisOutbox.LEASE, Duration.ofSeconds(2));
        try (Store store = address.outbox().store(client, options);
                Jedis server = RedisServer.shared().connect()) {
            boolean held = false;
            for (int tries = 1; !held; tries++) { // a busy machine may let the next lease end, too
                assertTrue(tries < 5, "handed out with a lease that was over, each time");
                server.clientPause(2200);
                MessageBatch batch = store.checkout(Set.of(TOPIC), 1);
                assertEquals(1, batch.messages().size());
                held = batch.isHeld();
                if (held) {
                    batch.markPublished(batch.messages().get(0), null);
                    batch.close();
                } else {
                    assertThrows(HoldLostException.class, batch::close);
                }
            }
            assertEquals(0, client.xlen(address.prefix() + ":messages:" + TOPIC + "#0"));
        }
    }
}
