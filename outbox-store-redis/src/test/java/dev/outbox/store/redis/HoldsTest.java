package dev.outbox.store.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import dev.outbox.HoldLostException;
import dev.outbox.MessageBatch;
import dev.outbox.Operations;
import dev.outbox.OutboxException;
import dev.outbox.OutgoingMessage;
import dev.outbox.PersistedMessage;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.servers.RedisServer;
import dev.outbox.servers.TcpProxy;
import dev.outbox.store.support.LeaseClock;
import dev.outbox.store.support.PartitionRotation;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import redis.clients.jedis.AbstractTransaction;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.RedisClient;

/** Who holds what, for how long, and what others make of it. */
@Tag("redis")
@Timeout(300)
class HoldsTest {
    private static final StoreOptions AN_HOUR = StoreOptions.defaults().with(RedisOutbox.LEASE, Duration.ofHours(1));

    private final TestAddress address = TestAddress.fresh(RedisServer.shared().url());
    private final RedisClient client = address.client();
    private final KeySpace keySpace = new KeyNames(address.prefix(), 1).keySpace(0);

    @AfterEach
    void drop() {
        try (client;
                Jedis server = RedisServer.shared().connect()) {
            TestAddress.drop(server.getConnection(), address.prefix());
        }
    }

    private void commit(int partition, int messages) {
        try (AbstractTransaction tx = client.multi()) {
            for (int i = 0; i < messages; i++) {
                address.outbox().withoutWakeUps().persist(tx).persist(RedisStoreTest.message(partition, "m" + i));
            }
            RedisOutbox.exec(tx).orThrow();
        }
    }

    private Store open(StoreOptions options) {
        return StoreOpener.store(address.url(), options.withPrefix(address.prefix()));
    }

    private static Set<Integer> partitions(MessageBatch batch) {
        return batch.messages().stream().map(PersistedMessage::partition).collect(Collectors.toSet());
    }

    /** A delay is no company: alone, every ready partition has a place. */
    @Test
    void whatWaitsForARetryIsNoCompany() {
        for (int partition = 0; partition < 10; partition++) {
            commit(partition, 100);
        }
        try (Store store = open(AN_HOUR)) {
            try (MessageBatch batch = store.checkout(Set.of(RedisStoreTest.TOPIC), 10)) {
                PersistedMessage first = batch.messages().get(0);
                batch.markFailed(first, "away", Duration.ofSeconds(30));
                assertEquals(10, partitions(batch).size());
            }
            // For longer than it takes until partitions are looked for again.
            long end = System.nanoTime() + 2 * PartitionRotation.LONGEST_PAUSE;
            while (System.nanoTime() - end < 0) {
                try (MessageBatch batch = store.checkout(Set.of(RedisStoreTest.TOPIC), 50)) {
                    assertEquals(9, partitions(batch).size());
                }
            }
        }
    }

    @Test
    void aDelayThatHasPassedIsFoundAmongWhatIsReady() {
        commit(0, 2);
        commit(1, 2);
        try (Store store = open(AN_HOUR)) {
            try (MessageBatch batch = store.checkout(Set.of(RedisStoreTest.TOPIC), 10)) {
                for (PersistedMessage message : batch.messages()) {
                    if (message.partition() == 0) {
                        batch.markFailed(message, "away", Duration.ofMillis(1));
                    }
                }
            }
            Set<Integer> came = new HashSet<>();
            Load.await(
                    () -> {
                        try (MessageBatch batch = store.checkout(Set.of(RedisStoreTest.TOPIC), 10)) {
                            came.addAll(partitions(batch));
                        }
                        return came.size() == 2;
                    },
                    "both partitions");
        }
    }

    /** One worker serves two sets of topics in turn, and stops: what it had checked out ahead of either is given back. */
    @Test
    void whatIsNotFetchedIsGivenBackForEverySetOfTopics() {
        for (String topic : List.of("a", "b")) {
            try (AbstractTransaction tx = client.multi()) {
                for (int i = 0; i < 400; i++) {
                    address.outbox().persist(tx).persist(new OutgoingMessage(topic, 0, null, Map.of(), new byte[1]));
                }
                RedisOutbox.exec(tx).orThrow();
            }
        }
        try (Store one = open(AN_HOUR);
                Store two = open(AN_HOUR)) {
            for (int i = 0; i < 16; i++) {
                try (MessageBatch batch = one.checkout(Set.of(i % 2 == 0 ? "a" : "b"), 10)) {
                    batch.messages().forEach(m -> batch.markPublished(m, null));
                }
            }
            for (String topic : List.of("a", "b")) {
                Load.await(
                        () -> {
                            try (MessageBatch batch = two.checkout(Set.of(topic), 10)) {
                                return !batch.messages().isEmpty();
                            }
                        },
                        "messages of " + topic);
            }
        }
    }

    /** A call that the network delivers twice, or when nobody waits for it any more. */
    @Test
    void takingThatArrivesOnceMoreChangesNothing() {
        commit(0, 5);
        try (Store store = open(AN_HOUR);
                Store other = open(AN_HOUR)) {
            byte[] token;
            try (MessageBatch batch = store.checkout(Set.of(RedisStoreTest.TOPIC), 3)) {
                batch.messages().forEach(m -> batch.markPublished(m, null));
                token = client.hget(keySpace.keys(partition()).state(), KeySpace.bytes("token"));
                String fence = state("fence");
                takeAgain(token);
                assertEquals(fence, state("fence"));
                assertTrue(batch.isHeld());
            }
            takeAgain(token);
            assertEquals(List.of("m3", "m4"), RedisStoreTest.publishAll(other, 10));
        }
    }

    private static Partition partition() {
        return new Partition(RedisStoreTest.TOPIC, 0);
    }

    private String state(String field) {
        return Reply.text(client.hget(keySpace.keys(partition()).state(), KeySpace.bytes(field)));
    }

    private void takeAgain(byte[] token) {
        KeySpace.Keys keys = keySpace.keys(partition());
        Command again = Script.TAKE.call(
                List.of(keySpace.ready(), keys.messages(), keys.state(), keys.attempts()),
                List.of(token, KeySpace.bytes("3600000"), KeySpace.bytes("1"), keys.member()));
        Reply.check(new RetryingClient(RedisClientAdapter.of(client)).call(keySpace, again));
    }

    /** The server keeps a lease for longer than the client trusts it. */
    @Test
    void aLeaseIsTrustedForLessLongThanItLasts() throws Exception {
        String seen = "";
        for (int tries = 0; tries < 5; tries++) { // a busy machine may look too late
            seen = trust();
            if (seen.isEmpty()) {
                return;
            }
        }
        fail(seen);
    }

    /** What is wrong with it, or "". */
    private static String trust() throws Exception {
        long lease = 4_000;
        try (RedisServer server = RedisServer.packaged()) {
            TestAddress own = TestAddress.fresh(server.url());
            try (RedisClient writer = own.client();
                    Jedis jedis = server.connect();
                    Store store = Stores.open(
                            server.url(), own.options().with(RedisOutbox.LEASE, Duration.ofMillis(lease)))) {
                try (AbstractTransaction tx = writer.multi()) {
                    own.outbox().persist(tx).persist(RedisStoreTest.message(0, "m"));
                    RedisOutbox.exec(tx).orThrow();
                }
                MessageBatch batch = store.checkout(Set.of(RedisStoreTest.TOPIC), 1);
                server.pause();
                long paused = System.nanoTime();
                while (batch.isHeld()) {
                    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(5));
                }
                long trusted = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - paused);
                server.resume();
                List<String> time = jedis.time();
                long now = Long.parseLong(time.get(0)) * 1_000 + Long.parseLong(time.get(1)) / 1_000;
                long left = Long.parseLong(jedis.hget(own.prefix() + ":state:orders#0", "until")) - now;
                if (trusted >= lease * 7 / 8) {
                    return "trusted for " + trusted + " ms";
                }
                return left > 0 ? "" : "it is over by " + left + " ms when the client does not trust it any more";
            }
        }
    }

    /** The clock of the server is cut off to milliseconds, and a lease is never shorter than it says. */
    @Test
    void aLeaseDoesNotEndEarlyByRounding() {
        commit(0, 1);
        long lease = 5_000;
        try (Store store = open(StoreOptions.defaults().with(RedisOutbox.LEASE, Duration.ofMillis(lease)))) {
            for (int i = 0; i < 50; i++) {
                MessageBatch batch = store.checkout(Set.of(RedisStoreTest.TOPIC), 1);
                // Drawn from the server's clock in microseconds, when the lease began.
                long began = Long.parseLong(state("fence"));
                assertTrue(Long.parseLong(state("until")) * 1_000 >= began + lease * 1_000);
                batch.close();
            }
        }
    }

    /** The first of two relays takes all there is from batch to batch, and yet the other gets in. */
    @Test
    void aSecondProcessGetsIn() {
        for (int partition = 0; partition < 8; partition++) {
            commit(partition, 6_000);
        }
        try (Store one = open(StoreOptions.defaults());
                Store two = open(StoreOptions.defaults())) {
            int first = 0;
            int second = 0;
            boolean in = false;
            // As relays do: who has found nothing asks again a while later, who has found something at once.
            for (int batch = 1; first + second < 48_000 && second < 1_000; batch++) {
                first += RedisStoreTest.publishAll(one, 100).size();
                if (in || batch % 50 == 0) {
                    int now = RedisStoreTest.publishAll(two, 100).size();
                    second += now;
                    in = now > 0;
                }
            }
            assertTrue(second >= 1_000, first + " by the first, " + second + " by the second");
        }
    }

    /** Partitions of a batch that was released or whose attempts are of messages deleted by hand leave nothing. */
    @Test
    void attemptsOfAMessageDeletedByHandAreForgotten() {
        commit(0, 3);
        KeySpace.Keys keys = keySpace.keys(partition());
        try (Store store = open(AN_HOUR)) {
            try (MessageBatch batch = store.checkout(Set.of(RedisStoreTest.TOPIC), 1)) {
                batch.markFailed(batch.messages().get(0), "away", Duration.ZERO);
            }
            byte[] head =
                    Reply.bytes(Reply.list(client.xrange(keys.messages(), KeySpace.bytes("-"), KeySpace.bytes("+"), 1)
                                    .get(0))
                            .get(0));
            client.xdel(keys.messages(), head);
            assertEquals(List.of("m1"), RedisStoreTest.publishAll(store, 1));
            assertFalse(client.exists(keys.attempts()));
            assertEquals(List.of(), Operations.of(store).failingPartitions());
        }
    }

    /** Its connections are needed until then. */
    @Test
    void closingAStoreWaitsForACloseThatHasBegun() throws Exception {
        commit(0, 1);
        try (TcpProxy network = TcpProxy.before(address.url())) {
            Store store = address.through(new InetSocketAddress(InetAddress.getLoopbackAddress(), network.port()))
                    .open();
            MessageBatch batch = store.checkout(Set.of(RedisStoreTest.TOPIC), 10);
            batch.markPublished(batch.messages().get(0), null);
            AtomicReference<@Nullable Throwable> failed = new AtomicReference<>();
            network.stall();
            Thread closing = thread(batch::close, failed);
            while (!isIn("send", closing)) {
                Thread.sleep(1);
            }
            Thread closingStore = thread(store::close, failed);
            Load.await(HoldsTest::isACloseAwaited, "the store waits for the close of its batch");
            assertTrue(closingStore.isAlive(), "the store was closed before its batch");
            network.heal();
            closing.join();
            closingStore.join();
            assertNull(failed.get());
        }
        try (Store store = open(AN_HOUR)) {
            assertEquals(List.of(), RedisStoreTest.publishAll(store, 10), "was settled");
        }
    }

    private static boolean isACloseAwaited() {
        return Thread.getAllStackTraces().keySet().stream()
                .anyMatch(thread -> thread.getState() == Thread.State.BLOCKED && isIn("awaitClose", thread));
    }

    /** While the close of one waits for its server, relays publish nothing more of the others. */
    @Test
    void closingAStoreEndsAllHoldsBeforeItWaits() throws Exception {
        try (TcpProxy network = TcpProxy.before(address.url())) {
            TestAddress through =
                    address.through(new InetSocketAddress(InetAddress.getLoopbackAddress(), network.port()));
            Store store = StoreOpener.store(address.url(), AN_HOUR.withPrefix(address.prefix()), through::way);
            List<MessageBatch> batches = new ArrayList<>();
            for (int partition = 0; partition < 8; partition++) {
                commit(partition, 1);
                batches.add(store.checkout(Set.of(RedisStoreTest.TOPIC), 1));
            }
            MessageBatch first = batches.remove(0);
            first.markPublished(first.messages().get(0), null);
            AtomicReference<@Nullable Throwable> failed = new AtomicReference<>();
            network.stall();
            Thread closing = thread(first::close, failed);
            Load.await(() -> isIn("send", closing), "a close that waits for the server");
            Thread closingStore = thread(store::close, failed);
            Load.await(() -> batches.stream().noneMatch(MessageBatch::isHeld), "no batch is held");
            assertTrue(isIn("send", closing), "the store waited for the close before it ended the other holds");
            network.heal();
            closing.join();
            closingStore.join();
            assertNull(failed.get());
            batches.forEach(batch -> assertThrows(HoldLostException.class, batch::close));
        }
    }

    /** A publisher that was told to stop is not told later that it may go on. */
    @Test
    void aHoldThatWasDoubtedIsNotHeldAgain() {
        commit(0, 1);
        try (Store store = open(AN_HOUR)) {
            try (MessageBatch taken = store.checkout(Set.of(RedisStoreTest.TOPIC), 1)) {
                RedisBatch batch = (RedisBatch) taken;
                assertTrue(batch.isHeld());
                long hours = Duration.ofHours(2).toMillis();
                batch.noteRenewed(new LeaseClock(
                        System.nanoTime() - TimeUnit.MILLISECONDS.toNanos(hours), System.currentTimeMillis() - hours));
                assertFalse(batch.isHeld());
                batch.noteRenewed(LeaseClock.now());
                assertFalse(batch.isHeld(), "held again");
                batch.markPublished(batch.messages().get(0), null);
            }
            assertEquals(List.of(), Operations.of(store).backlog(), "its outcomes take effect nevertheless");
        }
    }

    /** The other thread had asked before the commit, and comes to read its answer after it. */
    @Test
    void anOlderAnswerOfAnotherThreadHidesNoPartition() throws Exception {
        RetryingClient retrying = new RetryingClient(RedisClientAdapter.of(client));
        Checkout checkout =
                new Checkout(retrying, keySpace, Set.of(RedisStoreTest.TOPIC), Duration.ofHours(1), new Aside());
        commit(0, 1);
        AtomicReference<@Nullable Throwable> failed = new AtomicReference<>();
        int hidden = 0;
        while (hidden < 3) {
            AtomicReference<@Nullable Hold> found = new AtomicReference<>();
            Thread asking = thread(() -> found.set(checkout.run(1, hold -> {})), failed);
            while (asking.isAlive()) {
                synchronized (checkout.rotation) { // which the other thread would enter now, to see what is known
                    LockSupport.parkNanos(100_000);
                    if (asking.getState() == Thread.State.BLOCKED && isIn("nextTurn", asking)) {
                        checkout.rotation.retain(List.of(), Set.of());
                        hidden++;
                    }
                }
                LockSupport.parkNanos(10_000);
            }
            Hold hold = found.get();
            assertNull(failed.get());
            assertNotNull(hold, "nothing was found");
            RedisBatch.release(retrying, hold);
        }
    }

    private static Thread thread(Runnable task, AtomicReference<@Nullable Throwable> failed) {
        Thread thread = new Thread(task);
        thread.setUncaughtExceptionHandler((of, failure) -> failed.set(failure));
        thread.start();
        return thread;
    }

    private static boolean isIn(String method, Thread thread) {
        return Arrays.stream(thread.getStackTrace())
                .anyMatch(frame -> frame.getMethodName().equals(method));
    }

    /** What a server refuses is free again at once, and not when a lease has run out. */
    @Test
    void aCloseThatIsRefusedFreesItsPartitions() {
        commit(0, 1);
        byte[] dead = keySpace.dead(RedisStoreTest.TOPIC);
        try (Store store = open(AN_HOUR);
                Store other = open(AN_HOUR)) {
            client.set(dead, KeySpace.bytes("no stream"));
            MessageBatch batch = store.checkout(Set.of(RedisStoreTest.TOPIC), 1);
            batch.deadLetter(batch.messages().get(0), "poison");
            try {
                batch.close();
            } catch (OutboxException e) {
                assertTrue(String.valueOf(e.getMessage()).contains("WRONGTYPE"), e.getMessage());
            }
            assertEquals(List.of("m0"), RedisStoreTest.publishAll(other, 10));
        }
    }

    /** Every partition that is spoilt is shown and passed over; the rest goes on. */
    @Test
    void whatOthersHaveSpoiltStopsNothingElse() {
        for (int partition = 0; partition < 6; partition++) {
            commit(partition, 2);
        }
        try (Store store = open(AN_HOUR)) {
            client.set(
                    Reply.text(keySpace.keys(new Partition(RedisStoreTest.TOPIC, 1))
                            .state()),
                    "text");
            client.hset(
                    Reply.text(keySpace.keys(new Partition(RedisStoreTest.TOPIC, 2))
                            .state()),
                    Map.of("fence", "high"));
            client.set(
                    Reply.text(keySpace.keys(new Partition(RedisStoreTest.TOPIC, 3))
                            .attempts()),
                    "text");
            String spoilt = Reply.text(
                    keySpace.keys(new Partition(RedisStoreTest.TOPIC, 4)).messages());
            client.rename(spoilt, spoilt + "-kept");
            client.set(spoilt, "text");
            client.zadd(Reply.text(keySpace.ready()), Map.of("no partition", 0.0, "orders#x", 0.0, "orders#-1", 0.0));
            Set<Integer> served = new HashSet<>();
            for (int i = 0; i < 5; i++) {
                try (MessageBatch batch = store.checkout(Set.of(RedisStoreTest.TOPIC), 3)) {
                    batch.messages().forEach(m -> batch.markPublished(m, null));
                    served.addAll(partitions(batch));
                }
            }
            assertEquals(Set.of(0, 5), served);
            List<Operations.FailingPartition> failing = Operations.of(store).failingPartitions();
            assertEquals(
                    List.of(
                            "no partition 0",
                            "orders 1",
                            "orders 2",
                            "orders 3",
                            "orders 4",
                            "orders#-1 0",
                            "orders#x 0"),
                    failing.stream()
                            .map(each -> each.topic() + " " + each.partition())
                            .toList());
            assertTrue(
                    failing.get(1).reason().contains("WRONGTYPE"),
                    failing.get(1).reason());
            assertTrue(failing.get(0).reason().contains("ZREM"), failing.get(0).reason());
            assertEquals(3, Operations.of(store).backlog().size());
        }
    }
}
