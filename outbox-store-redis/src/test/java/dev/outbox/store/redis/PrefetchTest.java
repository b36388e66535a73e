package dev.outbox.store.redis;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.MessageBatch;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.servers.RedisServer;
import dev.outbox.servers.TcpProxy;
import dev.outbox.store.support.PartitionRotation;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedClass;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import redis.clients.jedis.AbstractTransaction;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.StreamEntryID;

/** Behind full batches the next checkout goes with the close; and nobody is worse off. */
@Tag("redis")
@Timeout(300)
@ParameterizedClass
@EnumSource(PrefetchTest.Connections.class)
class PrefetchTest {
    /** Whose connections a store has; its own may be kept while a batch is worked on. */
    enum Connections {
        OWN,
        OF_THE_APPLICATION
    }

    private static final int LIMIT = 10;

    /** An hour, so that nothing comes back because a lease has run out. */
    private static final StoreOptions OPTIONS = StoreOptions.defaults().with(RedisOutbox.LEASE, Duration.ofHours(1));

    private final Connections connections;
    private final TestAddress address = TestAddress.fresh(RedisServer.shared().url());
    private final RedisClient client = address.client();
    private int next;

    PrefetchTest(Connections connections) {
        this.connections = connections;
    }

    @AfterEach
    void drop() {
        try (client;
                Jedis server = RedisServer.shared().connect()) {
            TestAddress.drop(server.getConnection(), address.prefix());
        }
    }

    private Store open() {
        return open(address, client);
    }

    private Store open(TestAddress way, RedisClient shared) {
        return connections == Connections.OWN
                ? StoreOpener.store(way.url(), OPTIONS.withPrefix(way.prefix()), way::way)
                : way.outbox().store(shared, OPTIONS);
    }

    private TestAddress through(TcpProxy proxy) {
        return address.through(new InetSocketAddress(InetAddress.getLoopbackAddress(), proxy.port()));
    }

    private List<String> commit(int partition, int messages) {
        return commit(partition, messages, "");
    }

    private List<String> commit(int partition, int messages, String padding) {
        List<String> texts = IntStream.range(next, next + messages)
                .mapToObj(number -> number + padding)
                .toList();
        next += messages;
        try (AbstractTransaction tx = client.multi()) {
            texts.forEach(text -> address.outbox().persist(tx).persist(RedisStoreTest.message(partition, text)));
            RedisOutbox.exec(tx).orThrow();
        }
        return texts;
    }

    /** So many full batches that the store expects more. */
    private List<String> publish(Store store, int batches) {
        List<String> texts = new ArrayList<>();
        for (int i = 0; i < batches; i++) {
            texts.addAll(RedisStoreTest.publishAll(store, LIMIT));
        }
        return texts;
    }

    /**
     * The server says how often it has read from clients; what is sent together, it reads together. Over connections of its
     * own a store asks for what is behind a batch once more, but waits for that only when it closes the batch.
     */
    @Test
    void aFullBatchIsOneRoundTrip() {
        List<String> all = commit(0, 4_000);
        try (Store store = open()) {
            List<String> came = new ArrayList<>();
            long each = connections == Connections.OWN ? 2 : 1;
            List<Stretch> stretches = stretches(store, came, 3_900);
            assertTrue(stretches.stream().anyMatch(s -> s.done.reads <= each * s.batches), stretches::toString);
            came.addAll(publish(store, 10));
            assertEquals(all, came);
        }
    }

    /** A check and a read of each batch, and maybe one read more, for the batch that follows. The last of a stretch may read nothing. */
    @Test
    void everyMessageIsReadOnce() {
        commit(0, 4_000);
        try (Store store = open()) {
            List<Stretch> stretches = stretches(store, new ArrayList<>(), 3_900);
            assertTrue(stretches.stream().anyMatch(s -> s.done.ranges > s.batches), stretches::toString);
            assertTrue(stretches.stream().allMatch(s -> s.done.ranges <= 2L * s.batches + 1), stretches::toString);
        }
    }

    /**
     * The server would have to keep in memory what is not fetched. What is read ahead is asked for by itself; everything else
     * goes out with a script before it, of which there are two for a batch unless its partition was passed on to it.
     */
    @Test
    void largeMessagesAreNotReadAhead() {
        int large = ReadAhead.MOST_BYTES / LIMIT + 1;
        try (Store store = open();
                Jedis server = RedisServer.shared().connect()) {
            boolean passedOn = false;
            for (int round = 1; !passedOn; round++) { // a busy machine may come too late for what is passed on
                assertTrue(round < 10, "no batch was passed the partition on");
                List<String> all = new ArrayList<>();
                for (int i = 0; i < 40; i++) {
                    all.addAll(commit(0, LIMIT, "x".repeat(large)));
                }
                List<String> came = new ArrayList<>();
                while (came.size() < all.size()) {
                    Done before = Done.now(server);
                    came.addAll(publish(store, 5));
                    Done done = Done.now(server).minus(before);
                    passedOn |= done.scripts < 2 * 5;
                    assertEquals(done.scripts, done.reads, "reads, one for each script");
                }
                assertEquals(all, came);
            }
        }
    }

    /** What the server has done for several batches, one after the other, that were passed their partition on: by one script each. */
    private record Stretch(int batches, Done done) {}

    /** All that are of two batches or more. How long they are depends on how fast it goes, since partitions are looked for now and then. */
    private List<Stretch> stretches(Store store, List<String> came, int until) {
        List<Stretch> stretches = new ArrayList<>();
        try (Jedis server = RedisServer.shared().connect()) {
            Stretch stretch = new Stretch(0, new Done(0, 0, 0));
            Done before = Done.now(server);
            while (came.size() < until) {
                came.addAll(publish(store, 1));
                Done now = Done.now(server);
                Done batch = now.minus(before);
                before = now;
                if (batch.scripts == 1) {
                    stretch = new Stretch(stretch.batches + 1, stretch.done.plus(batch));
                } else {
                    stretches.add(stretch);
                    stretch = new Stretch(0, new Done(0, 0, 0));
                }
            }
            stretches.add(stretch);
        }
        stretches.removeIf(each -> each.batches < 2);
        return stretches;
    }

    /** How often the server has done what, apart from the questions for that and from signs of life, which come when it is time. */
    private record Done(long scripts, long ranges, long reads) {
        static Done now(Jedis server) {
            String info = server.info("all");
            return new Done(
                    calls(info, "evalsha"),
                    calls(info, "xrange"),
                    counted(info, "total_reads_processed:(\\d+)") - calls(info, "info") - calls(info, "ping"));
        }

        Done minus(Done other) {
            return new Done(scripts - other.scripts, ranges - other.ranges, reads - other.reads);
        }

        Done plus(Done other) {
            return new Done(scripts + other.scripts, ranges + other.ranges, reads + other.reads);
        }

        private static long calls(String info, String command) {
            return counted(info, "cmdstat_" + command + ":calls=(\\d+)");
        }

        private static long counted(String info, String pattern) {
            Matcher found = Pattern.compile(pattern).matcher(info);
            return found.find() ? Long.parseLong(found.group(1)) : 0;
        }
    }

    @Test
    void whatIsNotFetchedIsGivenBack() {
        List<String> all = commit(0, 100);
        try (Store one = open();
                Store two = open()) {
            List<String> came = publish(one, 6);
            Load.await(() -> came.addAll(RedisStoreTest.publishAll(two, 100)), "the rest, at another relay");
            assertEquals(all, came);
        }
    }

    @Test
    void aStoreThatIsClosedGivesItBackAtOnce() {
        List<String> all = commit(0, 100);
        try (Store two = open()) {
            List<String> came = new ArrayList<>();
            try (Store one = open()) {
                came.addAll(publish(one, 6));
            }
            came.addAll(RedisStoreTest.publishAll(two, 100));
            assertEquals(all, came);
        }
    }

    /** A checkout has all that was committed before it was called, also if it was sent before (OBX-TX-3). */
    @Test
    void whatWasCommittedMeanwhileIsThere() {
        try (Store store = open()) {
            for (int round = 0; round < 10; round++) {
                List<String> all = new ArrayList<>(commit(0, 6 * LIMIT + 4));
                List<String> came = publish(store, 6);
                all.addAll(commit(0, 3));
                all.addAll(commit(1, 2));
                came.addAll(RedisStoreTest.publishAll(store, LIMIT));
                assertEquals(all, came);
                assertEquals(List.of(), RedisStoreTest.publishAll(store, LIMIT));
            }
        }
    }

    /** Not even while it is being given back does a checkout of the same store find nothing. */
    @Test
    void whatIsBeingGivenBackIsWaitedFor() {
        List<String> all = commit(0, 4_000);
        Random random = new Random(1);
        try (Store store = open()) {
            List<String> came = new ArrayList<>();
            while (came.size() < 3_900) {
                came.addAll(publish(store, 6));
                LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(20_000 + random.nextInt(21_000)));
            }
            assertEquals(all.subList(0, came.size()), came);
            assertEquals(0, came.size() % (6 * LIMIT), "messages, where every batch was to be full");
        }
    }

    /** What did not take effect as a whole is there for everybody at once. */
    @Test
    void whatIsReleasedIsFreeAtOnce() {
        List<String> all = commit(0, 100);
        try (Store one = open();
                Store two = open()) {
            publish(one, 6);
            List<String> released;
            try (MessageBatch batch = one.checkout(Set.of(RedisStoreTest.TOPIC), LIMIT)) {
                released = RedisStoreTest.texts(batch);
                batch.messages().subList(0, 5).forEach(m -> batch.markPublished(m, null));
            }
            assertEquals(all.subList(60, 70), released);
            assertEquals(all.subList(65, 100), RedisStoreTest.publishAll(two, 100));
            assertTrue(RedisStoreTest.publishAll(one, LIMIT).isEmpty());
        }
    }

    /** Also not if it was read ahead before it was deleted, once partitions are to be looked for again. */
    @Test
    void whatIsDeletedByHandIsNotHandedOut() {
        List<String> all = commit(0, 100);
        try (Store store = open()) {
            List<String> came = publish(store, 6);
            try (MessageBatch batch = store.checkout(Set.of(RedisStoreTest.TOPIC), LIMIT)) {
                came.addAll(RedisStoreTest.texts(batch));
                byte[] messages = new KeyNames(address.prefix(), 1)
                        .keySpace(0)
                        .keys(new Partition(RedisStoreTest.TOPIC, 0))
                        .messages();
                client.xdel(
                        messages,
                        client.xrange(messages, "-".getBytes(US_ASCII), "+".getBytes(US_ASCII), 12).stream()
                                .map(entry -> (byte[]) Reply.list(entry).get(0))
                                .skip(11)
                                .toArray(byte[][]::new));
                long since = System.nanoTime();
                while (System.nanoTime() - since < PartitionRotation.LONGEST_PAUSE) {
                    LockSupport.parkNanos(PartitionRotation.LONGEST_PAUSE);
                }
                batch.messages().forEach(m -> batch.markPublished(m, null));
            }
            came.addAll(publish(store, 3));
            List<String> left = new ArrayList<>(all);
            assertEquals("71", left.remove(71));
            assertEquals(left, came);
        }
    }

    /** The connection over which something is read ahead is lost as any other. */
    @Test
    void aConnectionThatIsLostWhileABatchIsOpenIsMissedByNobody() throws Exception {
        List<String> all = commit(0, 200);
        try (TcpProxy proxy = TcpProxy.before(address.url());
                RedisClient through = through(proxy).client();
                Store store = open(through(proxy), through)) {
            List<String> came = new ArrayList<>();
            for (int round = 0; round < 2; round++) {
                came.addAll(publish(store, 6));
                try (MessageBatch batch = store.checkout(Set.of(RedisStoreTest.TOPIC), LIMIT)) {
                    came.addAll(RedisStoreTest.texts(batch));
                    proxy.cut();
                    batch.messages().forEach(m -> batch.markPublished(m, null));
                }
                came.addAll(publish(store, 3));
            }
            assertEquals(all, came);
        }
    }

    /** It was settled, its partition is still held, and what was read behind it has not arrived. */
    @ParameterizedTest
    @EnumSource(TcpProxy.Moment.class)
    void aCloseWhoseAnswerIsLostLosesNothing(TcpProxy.Moment moment) throws Exception {
        try (TcpProxy proxy = TcpProxy.before(address.url());
                RedisClient through = through(proxy).client();
                Store store = open(through(proxy), through)) {
            List<String> all = new ArrayList<>();
            List<String> came = new ArrayList<>();
            for (int round = 1; round <= 5; round++) {
                all.addAll(commit(0, 10 * LIMIT));
                came.addAll(publish(store, 6));
                proxy.cutAtNext(Pattern.compile("EVALSHA"), moment);
                came.addAll(publish(store, 4));
                assertEquals(round, proxy.sprung());
                assertEquals(all, came);
            }
            assertEquals(List.of(), RedisStoreTest.publishAll(store, LIMIT));
        }
    }

    /** One partition has less than the others, and is free as soon as it is empty. */
    @Test
    void aPartitionThatRunsEmptyIsReleased() {
        Set<String> all = new HashSet<>(commit(0, 200));
        Set<String> few = new HashSet<>(commit(1, 13));
        all.addAll(few);
        all.addAll(commit(2, 200));
        try (Store one = open();
                Store two = open()) {
            List<String> came = new ArrayList<>();
            while (!few.isEmpty()) {
                List<String> batch = RedisStoreTest.publishAll(one, LIMIT);
                assertEquals(LIMIT, batch.size());
                came.addAll(batch);
                few.removeAll(batch);
            }
            List<String> late = commit(1, 2);
            all.addAll(late);
            List<String> there = RedisStoreTest.publishAll(two, 1_000);
            assertTrue(there.containsAll(late), "what was committed to it comes to another relay");
            came.addAll(there);
            came.addAll(RedisStoreTest.publishAll(one, 1_000));
            assertEquals(all, new HashSet<>(came));
            assertEquals(all.size(), came.size());
        }
    }

    /** One of its partitions goes on with what cannot be handed out, and the other one fills the batch. */
    @Test
    void aFullBatchKeepsNoEmptyPartition() {
        int rounds = 6;
        commit(0, rounds * LIMIT / 2);
        commit(1, rounds * LIMIT / 2);
        String messages = address.prefix() + ":messages:" + RedisStoreTest.TOPIC + "#1";
        StreamEntryID odd = client.xadd(messages, StreamEntryID.NEW_ENTRY, Map.of("a", "b"));
        List<String> behind = commit(1, 3);
        String large = "x".repeat(4 << 20);
        for (int i = 0; i < LIMIT; i++) {
            commit(0, 1, large);
        }
        try (Store store = open()) {
            publish(store, rounds);
            try (MessageBatch full = store.checkout(Set.of(RedisStoreTest.TOPIC), LIMIT)) {
                assertTrue(full.messages().stream().allMatch(m -> m.partition() == 0), "nothing passes it");
                client.xdel(messages, odd);
                try (Store another = open()) {
                    assertEquals(behind, RedisStoreTest.publishAll(another, LIMIT));
                }
            }
        }
    }
}
