package dev.outbox.store.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.Browsing;
import dev.outbox.DeadLetter;
import dev.outbox.MessageBatch;
import dev.outbox.Operations;
import dev.outbox.OutgoingMessage;
import dev.outbox.PersistedMessage;
import dev.outbox.Store;
import dev.outbox.StoreException;
import dev.outbox.StoreOptions;
import dev.outbox.servers.RedisServer;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import redis.clients.jedis.AbstractTransaction;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.StreamEntryID;
import redis.clients.jedis.exceptions.JedisException;
import redis.clients.jedis.resps.StreamEntry;

/** However large the messages are, and whatever the limit is, a batch has so many bytes and no more, and the outbox is drained. */
@Tag("redis")
@Timeout(300)
class LargeMessagesTest {
    private static final int LARGE = 2 << 20;
    private static final int LIMIT = 1_000;

    private static RedisServer server;

    private TestAddress address;
    private RedisClient client;
    private int next;

    @BeforeAll
    static void start() throws Exception {
        server = RedisServer.packaged("--appendonly", "no");
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @BeforeEach
    void connect() {
        address = TestAddress.fresh(server.url());
        client = address.client();
    }

    @AfterEach
    void empty() {
        client.close();
        limit("0");
        try (Jedis jedis = server.connect()) {
            jedis.flushAll();
        }
    }

    /** Beyond that the server closes a connection instead of answering. */
    private static void limit(String bytes) {
        try (Jedis jedis = server.connect()) {
            jedis.configSet("client-output-buffer-limit", "normal " + bytes + " 0 0");
        }
    }

    private void commit(int partition, int messages, int size) {
        for (int i = 0; i < messages; i++) {
            byte[] payload = new byte[size];
            ByteBuffer.wrap(payload).putInt(next++);
            try (AbstractTransaction tx = client.multi()) {
                address.outbox()
                        .withoutWakeUps()
                        .persist(tx)
                        .persist(new OutgoingMessage(RedisStoreTest.TOPIC, partition, null, Map.of(), payload));
                RedisOutbox.exec(tx).orThrow();
            }
        }
    }

    private static int number(PersistedMessage message) {
        return ByteBuffer.wrap(message.payload()).getInt();
    }

    private static List<PersistedMessage> publish(Store store) {
        try (MessageBatch batch = store.checkout(Set.of(RedisStoreTest.TOPIC), LIMIT)) {
            batch.messages().forEach(m -> batch.markPublished(m, null));
            return batch.messages();
        }
    }

    private static long bytes(List<PersistedMessage> batch) {
        return batch.stream().mapToLong(m -> m.payload().length).sum();
    }

    /** All that the server has sent. */
    private static long sent(Jedis jedis) {
        String text = jedis.info("stats").replaceAll("(?s).*total_net_output_bytes:(\\d+).*", "$1");
        return Long.parseLong(text);
    }

    @ParameterizedTest
    @CsvSource({"1", "3", "20"})
    void aBatchHasABoundedNumberOfBytes(int partitions) {
        for (int i = 0; i < 100 / partitions; i++) {
            for (int partition = 0; partition < partitions; partition++) {
                commit(partition, 1, LARGE);
            }
        }
        try (Store store = address.open();
                Jedis jedis = server.connect()) {
            Map<Integer, List<Integer>> came = new HashMap<>();
            while (next > came.values().stream().mapToInt(List::size).sum()) {
                long before = sent(jedis);
                List<PersistedMessage> batch = publish(store);
                long read = sent(jedis) - before;
                assertTrue(bytes(batch) >= Math.min(Portions.BYTES, (long) LARGE), "bytes: " + bytes(batch));
                assertTrue(bytes(batch) < Portions.BYTES + LARGE, "bytes: " + bytes(batch));
                assertTrue(read < Portions.BYTES + 2L * LARGE, "read for it: " + read);
                batch.forEach(m -> came.computeIfAbsent(m.partition(), p -> new ArrayList<>())
                        .add(number(m)));
            }
            came.forEach((partition, numbers) -> assertEquals(
                    IntStream.range(0, next)
                            .filter(number -> number % partitions == partition)
                            .boxed()
                            .toList(),
                    numbers));
        }
    }

    /** However many answers without large messages come in between. */
    @ParameterizedTest
    @CsvSource({"0,false", "5,false", "9,false", "0,true", "5,true", "9,true"})
    void largeMessagesOfOnePartitionAmongManyAreNotForgotten(int large, boolean company) {
        int size = 512 << 10;
        for (int partition = 0; partition < 10; partition++) {
            commit(partition, 120, partition == large ? size : 200);
        }
        try (Store store = address.open();
                Jedis jedis = server.connect()) {
            boolean known = false;
            List<Long> reads = new ArrayList<>();
            while (reads.size() < 10) {
                try (MessageBatch other = store.checkout(Set.of(company ? RedisStoreTest.TOPIC : "none"), 1)) {
                    long before = sent(jedis);
                    // Closed as it is, so that there is always as much.
                    try (MessageBatch batch = store.checkout(Set.of(RedisStoreTest.TOPIC), LIMIT)) {
                        if (known) {
                            reads.add(sent(jedis) - before);
                        }
                        known |= Stream.concat(other.messages().stream(), batch.messages().stream())
                                .anyMatch(m -> m.partition() == large);
                    }
                }
            }
            assertTrue(reads.stream().allMatch(read -> read < Portions.BYTES + 4L * size), "read: " + reads);
        }
    }

    /** Nothing is learnt of the weight of messages while the server is away, however many find out. */
    @Test
    void afterAnOutageBatchesAreReadAsBefore() throws Exception {
        int workers = 8;
        try (RedisServer restarted = RedisServer.packaged()) {
            TestAddress there = TestAddress.fresh(restarted.url());
            try (RedisClient writer = there.client();
                    AbstractTransaction tx = writer.multi()) {
                for (int i = 0; i < workers * LIMIT; i++) {
                    there.outbox().persist(tx).persist(RedisStoreTest.message(i % workers, "m" + i));
                }
                RedisOutbox.exec(tx).orThrow();
            }
            ExecutorService pool = Executors.newFixedThreadPool(workers);
            // What was taken when the server died, and nobody was told of, comes again at the end of its lease.
            StoreOptions options = there.options().with(RedisOutbox.LEASE, Duration.ofSeconds(20));
            try (Store store = StoreOpener.store(there.url(), options)) {
                List<Future<?>> failed = new ArrayList<>();
                AtomicInteger came = new AtomicInteger();
                for (int i = 0; i < workers; i++) {
                    failed.add(pool.submit(() -> assertThrows(StoreException.class, () -> {
                        while (true) {
                            try (MessageBatch batch = store.checkout(Set.of(RedisStoreTest.TOPIC), LIMIT)) {
                                came.addAndGet(batch.messages().size());
                            }
                        }
                    })));
                }
                Load.await(() -> came.get() > 10 * LIMIT, "checkouts");
                restarted.kill();
                for (Future<?> each : failed) {
                    each.get(2, TimeUnit.MINUTES);
                }
                restarted.restart();
                List<Integer> sizes = new ArrayList<>();
                Load.await(
                        () -> {
                            sizes.clear();
                            try (Jedis jedis = restarted.connect()) {
                                jedis.configResetStat();
                                try (MessageBatch batch = store.checkout(Set.of(RedisStoreTest.TOPIC), LIMIT)) {
                                    sizes.add(batch.messages().size());
                                }
                                if (sizes.get(0) < LIMIT) {
                                    return false; // what the others held is still to come
                                }
                                sizes.add(Integer.parseInt(jedis.info("commandstats")
                                        .replaceAll("(?s).*cmdstat_xrange:calls=(\\d+).*", "$1")));
                            } catch (StoreException | JedisException e) {
                                return false; // not there yet
                            }
                            return true;
                        },
                        "a full batch");
                assertTrue(sizes.get(1) <= 2 * workers, "messages and reads: " + sizes);
            } finally {
                pool.shutdownNow();
            }
        }
    }

    /** Who finds no place because the batch is heavy has the next turn. */
    @Test
    void partitionsTakeTurnsIfTheirMessagesAreLarge() {
        for (int partition = 0; partition < 20; partition++) {
            commit(partition, 3, LARGE);
        }
        try (Store store = address.open()) {
            Set<Integer> served = new HashSet<>();
            for (int batch = 0; batch < 3; batch++) {
                served.addAll(
                        publish(store).stream().map(PersistedMessage::partition).collect(Collectors.toSet()));
            }
            assertEquals(20, served.size(), "of 20 partitions in three batches of 8 messages: " + served);
        }
    }

    /** As many as are asked for, again, when they are small; a few round trips later at most. */
    @Test
    void afterLargeMessagesBatchesAreFullAgain() {
        commit(0, 20, LARGE);
        commit(0, 5 * LIMIT, 100);
        try (Store store = address.open()) {
            List<Integer> sizes = new ArrayList<>();
            for (int came = 0; came < next; ) {
                int size = publish(store).size();
                sizes.add(size);
                came += size;
            }
            assertTrue(sizes.size() <= 9, "batches: " + sizes);
        }
    }

    /** Two of them fit into what the server has ready at once, or one alone, or three. */
    @ParameterizedTest
    @CsvSource({"3mb,0", "5mb,0", "7mb,0", "5mb,300"})
    void whatTheServerRefusesToHaveReadyIsReadInSmallerPortions(String bytes, int smallBefore) {
        commit(0, smallBefore, 100);
        commit(0, 30, LARGE);
        commit(1, 10, LARGE);
        limit(bytes);
        try (Store store = address.open()) {
            Set<Integer> came = new HashSet<>();
            for (int batch = 0; came.size() < next; batch++) {
                assertTrue(batch < 30, came.size() + " of " + next);
                publish(store).forEach(m -> assertTrue(came.add(number(m)), "twice"));
            }
        }
    }

    /** Dead letters are listed, and a batch of which a message was deleted by hand is closed, in portions too. */
    @Test
    void whatIsLookedAtAgainIsReadInSmallerPortions() {
        commit(0, 12, LARGE);
        String key = address.prefix() + ":messages:" + RedisStoreTest.TOPIC + "#0";
        List<StreamEntryID> entries =
                client.xrange(key, "-", "+").stream().map(StreamEntry::getID).toList();
        limit("5mb");
        try (Store store = address.open()) {
            int dead = 0;
            while (dead < 12) {
                try (MessageBatch batch = store.checkout(Set.of(RedisStoreTest.TOPIC), LIMIT)) {
                    batch.messages().forEach(m -> batch.deadLetter(m, "no"));
                    dead += batch.messages().size();
                    client.xdel(key, entries.get(dead - 1));
                }
            }
            List<DeadLetter> letters = Operations.of(store).deadLetters(RedisStoreTest.TOPIC, null, 100);
            assertEquals(
                    10,
                    letters.stream()
                            .map(letter -> number(letter.message()))
                            .distinct()
                            .count(),
                    "in two batches");
        }
    }

    /** Also what would be passed on and read ahead, which is decided before it is known how heavy it is. */
    /** The answers to a page have no more bytes than that, although nothing foretells that the messages are large. */
    @Test
    void aPageIsReadInPortionsThatAServerHasReady() {
        commit(0, 10, 100);
        commit(0, 30, 1 << 20);
        limit("4194304");
        try (Store store = address.open()) {
            List<Integer> listed = new ArrayList<>();
            Browsing.Page page;
            String after = null;
            do {
                page = Browsing.of(store).pending(RedisStoreTest.TOPIC, null, after, LIMIT);
                page.messages().forEach(each -> listed.add(number(each.message())));
                after = page.next();
            } while (after != null);
            assertEquals(IntStream.range(0, 40).boxed().toList(), listed);
        }
    }

    @Test
    void messagesThatBecomeLargeInABacklogAreRead() {
        commit(0, 400, 100);
        commit(0, 30, LARGE);
        limit("5mb");
        StoreOptions options = address.options().with(RedisOutbox.LEASE, Duration.ofSeconds(30));
        try (Store store = StoreOpener.store(address.url(), options)) {
            List<Integer> came = new ArrayList<>();
            for (int batch = 0; came.size() < next; batch++) {
                assertTrue(batch < 100, came.size() + " of " + next);
                try (MessageBatch open = store.checkout(Set.of(RedisStoreTest.TOPIC), 10)) {
                    open.messages().forEach(m -> open.markPublished(m, null));
                    open.messages().forEach(m -> came.add(number(m)));
                }
            }
            assertEquals(IntStream.range(0, next).boxed().toList(), came);
        }
    }
}
