package dev.outbox.store.mongo;

import static dev.outbox.store.mongo.TestOutbox.TOPIC;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.mongodb.ConnectionString;
import com.mongodb.MongoClientSettings;
import com.mongodb.MongoException;
import com.mongodb.client.ClientSession;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.event.CommandListener;
import com.mongodb.event.CommandSucceededEvent;
import dev.outbox.HoldLostException;
import dev.outbox.MessageBatch;
import dev.outbox.OutboxException;
import dev.outbox.PersistFunc;
import dev.outbox.PersistedMessage;
import dev.outbox.Store;
import dev.outbox.StoreException;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.servers.MongoServer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Three members, of which the primary is killed, or steps down, again and again. */
@Tag("mongo")
@Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class MongoFailoverTest {
    private static final int WRITERS = 2;
    private static final int RELAYS = 2;
    private static final int PARTITIONS = 4;
    private static final int KILLS = 3;

    /** So much has to happen between two kills, and after the last, that they fall into the middle of something. */
    private static final int BETWEEN_KILLS = 300;

    /** More statements than a checkout and a close should need. */
    private static final int MOST_STATEMENTS = 30;

    private static MongoServer server;

    private final AtomicBoolean stopWriting = new AtomicBoolean();
    private final AtomicBoolean stopRelaying = new AtomicBoolean();
    private final AtomicInteger acknowledged = new AtomicInteger();

    /** What a writer knows of its messages, in the order in which it wrote them: true if the commit was confirmed. */
    private final List<Map<String, Boolean>> written = new ArrayList<>();

    private final Queue<Batch> batches = new ConcurrentLinkedQueue<>();
    private final Set<String> settled = ConcurrentHashMap.newKeySet();

    /** How often a writer or a relay was told that something failed. */
    private final AtomicInteger failures = new AtomicInteger();

    private enum End {
        DONE,
        NOT_DONE,
        UNKNOWN
    }

    /** What a relay did: when the checkout returned, what it had, and what became of it. */
    private record Batch(long opened, long closing, List<PersistedMessage> messages, End end) {}

    @BeforeAll
    static void start() throws Exception {
        server = MongoServer.packaged(3);
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @Test
    void nothingIsLostOrReorderedAndWhatWasSettledStaysSettled() throws Exception {
        ExecutorService threads = Executors.newCachedThreadPool();
        List<Future<?>> writing = new ArrayList<>();
        List<Future<?>> relaying = new ArrayList<>();
        try (TestOutbox outbox = new TestOutbox(server)) {
            for (int w = 0; w < WRITERS; w++) {
                Map<String, Boolean> mine = new LinkedHashMap<>();
                written.add(mine);
                writing.add(threads.submit(writer(outbox, mine)));
            }
            List<Store> stores = new ArrayList<>();
            for (int r = 0; r < RELAYS; r++) {
                Store store = Stores.open(
                        outbox.url, StoreOptions.defaults().with(MongoOutbox.LEASE, Duration.ofSeconds(15)));
                stores.add(store);
                relaying.add(threads.submit(relay(store)));
            }
            for (int kill = 0; kill < KILLS; kill++) {
                awaitProgress();
                int primary = TestOutbox.eventually("a primary", () -> {
                    int found = server.primary();
                    return found < 0 ? null : found;
                });
                server.kill(primary);
                awaitProgress();
                server.restart(primary);
            }
            awaitProgress();
            stopWriting.set(true);
            for (Future<?> each : writing) {
                each.get();
            }
            awaitAllSettled();
            stopRelaying.set(true);
            for (Future<?> each : relaying) {
                each.get();
            }
            stores.forEach(Store::close);
            assertEquals(0, left(outbox), "messages left");
        } finally {
            stopWriting.set(true);
            stopRelaying.set(true);
            threads.shutdownNow();
        }
        // That each kill hit, and another member took over, is known: there was progress while the primary was dead.
        System.out.println("history db=mongo fault=primary-killed kills=" + KILLS + " acknowledged=" + acknowledged
                + " settled=" + settled.size() + " batches=" + batches.size() + " failures=" + failures);
        checkWhatCame();
        checkOrder();
        checkExclusive();
    }

    /** Between any two statements, and the last of them is the commit. */
    @Test
    void aPrimaryThatStepsDownBetweenTwoStatementsLeavesBatchesWholeAndTruthful() throws Exception {
        int steps = 0;
        try (TestOutbox outbox = new TestOutbox(server)) {
            AfterStatement after = new AfterStatement(server::stepDown);
            MongoClientSettings settings = MongoClientSettings.builder()
                    .applyConnectionString(new ConnectionString(outbox.url))
                    .addCommandListener(after)
                    .build();
            try (MongoClient client = MongoClients.create(settings);
                    Store store = MongoOutbox.store(
                            client,
                            outbox.name(),
                            StoreOptions.defaults()
                                    .with(MongoOutbox.LEASE, Duration.ofSeconds(5))
                                    .withWakeUp(false))) {
                for (boolean struck = true; struck; steps++) {
                    assertTrue(steps < MOST_STATEMENTS, "a batch still needs statements");
                    outbox.commit(0, "a", "b");
                    outbox.commit(1, "c", "d");
                    after.arm(steps);
                    String told = whatBecameOfABatch(store);
                    struck = after.disarm();
                    long left = TestOutbox.eventually("the number left", () -> left(outbox));
                    String what = "step " + steps + " after " + after.last() + ": " + told + ", and left are " + left;
                    assertTrue(
                            told.endsWith(End.DONE + "") && left + told.indexOf(' ') == 4
                                    || told.endsWith(End.NOT_DONE + "") && left == 4
                                    || told.endsWith(End.UNKNOWN + "") && (left == 4 || left + told.indexOf(' ') == 4),
                            what);
                    TestOutbox.eventually("all is published, " + what, () -> {
                        whatBecameOfABatch(store);
                        return left(outbox) == 0 ? true : null;
                    });
                }
            }
        }
        assertTrue(steps > 6, "statements after which the primary stepped down: " + steps);
    }

    /** As above, where the close of each batch takes the partition for the next one. */
    @Test
    void aPrimaryThatStepsDownWhileBatchesFollowEachOtherLosesAndRepeatsNothing() throws Exception {
        int messages = 600;
        try (TestOutbox outbox = new TestOutbox(server)) {
            outbox.commit(
                    0, IntStream.range(0, messages).mapToObj(Integer::toString).toArray(String[]::new));
            AfterStatement after = new AfterStatement(server::stepDown);
            Commands commands = new Commands();
            MongoClientSettings settings = MongoClientSettings.builder()
                    .applyConnectionString(new ConnectionString(outbox.url))
                    .addCommandListener(after)
                    .addCommandListener(commands)
                    .build();
            int followed = 0;
            int struck = 0;
            int settled = 0; // so many of the first are for certain
            int maybe = 0; // and so many, if not as many as those
            try (MongoClient client = MongoClients.create(settings);
                    Store store = MongoOutbox.store(
                            client,
                            outbox.name(),
                            StoreOptions.defaults()
                                    .with(MongoOutbox.LEASE, Duration.ofSeconds(5))
                                    .withWakeUp(false))) {
                for (int batchNumber = 0; settled < messages; batchNumber++) {
                    boolean strikes = batchNumber % 8 == 7;
                    if (strikes) {
                        after.arm(batchNumber / 8 % 4);
                    }
                    commands.clear();
                    try (MessageBatch batch = store.checkout(Set.of(TOPIC), 10)) {
                        if (batch.messages().isEmpty()) { // somebody has it still, who may be nobody any more
                            long left = TestOutbox.eventually("the number left", () -> left(outbox));
                            settled = left == 0 && maybe == messages ? messages : settled;
                            continue;
                        }
                        int first = Integer.parseInt(TestOutbox.texts(batch).get(0));
                        assertTrue(
                                first == settled || first == maybe,
                                "a batch begins with " + first + " where " + settled + " were settled, or " + maybe);
                        settled = first;
                        int size = batch.messages().size();
                        assertEquals(
                                IntStream.range(first, first + size)
                                        .mapToObj(Integer::toString)
                                        .toList(),
                                TestOutbox.texts(batch));
                        batch.messages().forEach(m -> batch.markPublished(m, null));
                        maybe = first;
                        End end = close(batch);
                        settled += end == End.DONE ? size : 0;
                        maybe += end == End.NOT_DONE ? 0 : size;
                    } catch (StoreException e) {
                        // no primary
                    }
                    followed += commands.sent().stream()
                                    .anyMatch(c -> c.containsKey("bulkWrite")
                                            && c.toString().contains("$$NOW"))
                            ? 1
                            : 0;
                    struck += after.disarm() && strikes ? 1 : 0;
                }
            }
            assertEquals(0, left(outbox), "messages left");
            assertTrue(struck >= 4, "times the primary stepped down: " + struck);
            assertTrue(followed >= 10, "batches that were followed: " + followed);
        }
    }

    /** So many characters as messages were published, a space, and how the close ended; with an order that is right. */
    private static String whatBecameOfABatch(Store store) {
        MessageBatch batch;
        try {
            batch = store.checkout(Set.of(TOPIC), 100);
        } catch (StoreException e) {
            return " " + End.NOT_DONE;
        }
        String texts = String.join("", TestOutbox.texts(batch));
        assertTrue(Set.of("", "ab", "cd", "abcd", "cdab").contains(texts), "a batch of " + texts);
        batch.messages().forEach(m -> batch.markPublished(m, null));
        return texts + " " + close(batch);
    }

    /** Does something after an answer of the server, before who asked gets to see it. */
    private static final class AfterStatement implements CommandListener {
        private final Runnable action;
        private int left;
        private boolean armed;
        private boolean struck;
        private String last = "none";

        AfterStatement(Runnable action) {
            this.action = action;
        }

        synchronized void arm(int statements) {
            left = statements;
            armed = true;
            struck = false;
            last = "none";
        }

        /** Returns whether it was done. */
        synchronized boolean disarm() {
            armed = false;
            return struck;
        }

        synchronized String last() {
            return last;
        }

        @Override
        public synchronized void commandSucceeded(CommandSucceededEvent event) {
            if (armed && left-- == 0) {
                armed = false;
                struck = true;
                last = event.getCommandName();
                action.run();
            }
        }
    }

    private Callable<Integer> writer(TestOutbox outbox, Map<String, Boolean> mine) {
        return () -> {
            int n = 0;
            while (!stopWriting.get()) {
                int partition = n++ % PARTITIONS;
                String id = "";
                try (ClientSession session = outbox.client.startSession()) {
                    session.startTransaction();
                    PersistFunc persist = MongoOutbox.persist(session, outbox.database);
                    id = persist.persist(TestOutbox.message(partition, "m"));
                    mine.put(id, false);
                    session.commitTransaction();
                    mine.put(id, true);
                    acknowledged.incrementAndGet();
                } catch (MongoException | OutboxException e) {
                    failures.incrementAndGet(); // not confirmed: it may come, and it may not
                }
            }
            return n;
        };
    }

    private Callable<Integer> relay(Store store) {
        return () -> {
            int n = 0;
            while (!stopRelaying.get()) {
                MessageBatch batch;
                try {
                    batch = store.checkout(Set.of(TOPIC), 7);
                } catch (OutboxException e) {
                    failures.incrementAndGet(); // no primary
                    continue;
                }
                long opened = System.nanoTime();
                List<PersistedMessage> published = new ArrayList<>();
                for (PersistedMessage message : batch.messages()) {
                    if (batch.isHeld()) {
                        published.add(message);
                        batch.markPublished(message, null);
                    }
                }
                long closing = System.nanoTime();
                End end = close(batch);
                if (end == End.DONE) {
                    published.forEach(m -> settled.add(m.id()));
                } else {
                    failures.incrementAndGet();
                }
                if (!published.isEmpty()) {
                    batches.add(new Batch(opened, closing, published, end));
                    n++;
                }
            }
            return n;
        };
    }

    private static End close(MessageBatch batch) {
        try {
            batch.close();
            return End.DONE;
        } catch (HoldLostException e) {
            return End.NOT_DONE;
        } catch (StoreException e) {
            return e.getMessage().contains("not confirmed") ? End.UNKNOWN : End.NOT_DONE;
        }
    }

    private void awaitProgress() throws Exception {
        int wanted = acknowledged.get() + BETWEEN_KILLS;
        int wantedSettled = settled.size() + BETWEEN_KILLS;
        TestOutbox.eventually(
                BETWEEN_KILLS + " more messages are written and relayed",
                () -> acknowledged.get() >= wanted && settled.size() >= wantedSettled ? true : null);
    }

    private void awaitAllSettled() throws Exception {
        TestOutbox.eventually("all that was acknowledged is settled", () -> {
            for (Map<String, Boolean> mine : written) {
                for (Map.Entry<String, Boolean> each : mine.entrySet()) {
                    if (each.getValue() && !settled.contains(each.getKey()) && !cameUnconfirmed(each.getKey())) {
                        return null;
                    }
                }
            }
            return true;
        });
    }

    /** A close that was not confirmed may have settled it, and then it does not come again. */
    private boolean cameUnconfirmed(String id) {
        return batches.stream()
                .anyMatch(b -> b.end == End.UNKNOWN && b.messages.stream().anyMatch(m -> m.id().equals(id)));
    }

    private static long left(TestOutbox outbox) throws Exception {
        return TestOutbox.eventually("the number of messages left", () -> {
            try {
                return outbox.database.getCollection("outbox_messages").countDocuments();
            } catch (MongoException e) {
                return null;
            }
        });
    }

    /**
     * Every acknowledged message came, nothing came that nobody wrote, nothing came after it was settled, and nothing
     * was settled by a close that said it was not.
     */
    private void checkWhatCame() {
        Set<String> known = new HashSet<>();
        Set<String> came = new HashSet<>();
        Map<String, Long> confirmedAt = new HashMap<>();
        for (Batch batch : batches) {
            for (PersistedMessage message : batch.messages) {
                came.add(message.id());
                if (batch.end == End.DONE) {
                    assertEquals(null, confirmedAt.put(message.id(), batch.closing), "settled twice: " + message.id());
                }
            }
        }
        for (Map<String, Boolean> mine : written) {
            known.addAll(mine.keySet());
            mine.forEach((id, sure) -> assertTrue(!sure || came.contains(id), "lost: " + id));
        }
        for (Batch batch : batches) {
            for (PersistedMessage message : batch.messages) {
                assertTrue(known.contains(message.id()), "invented: " + message.id());
                Long at = confirmedAt.get(message.id());
                assertTrue(at == null || batch.opened <= at, "came after it was settled: " + message.id());
                assertTrue(at != null || cameUnconfirmed(message.id()), "no close says it settled " + message.id());
            }
        }
    }

    /** A writer writes one after the other, so its messages of a partition come first in that order. */
    private void checkOrder() {
        List<Batch> inOrder = new ArrayList<>(batches);
        inOrder.sort((a, b) -> Long.compare(a.opened, b.opened));
        Map<String, Integer> first = new HashMap<>();
        for (Batch batch : inOrder) {
            for (PersistedMessage message : batch.messages) {
                first.putIfAbsent(message.id(), first.size());
            }
        }
        for (Map<String, Boolean> mine : written) {
            int[] last = new int[PARTITIONS];
            Arrays.fill(last, -1);
            Map<String, Integer> partitionOf = new HashMap<>();
            batches.forEach(b -> b.messages.forEach(m -> partitionOf.put(m.id(), m.partition())));
            for (String id : mine.keySet()) {
                Integer place = first.get(id);
                if (place != null) {
                    int partition = partitionOf.getOrDefault(id, 0);
                    assertTrue(place > last[partition], id + " of partition " + partition + " came too early");
                    last[partition] = place;
                }
            }
        }
    }

    /** Leases are longer than a failover takes, so nobody loses one, and no two batches have a partition at a time. */
    private void checkExclusive() {
        Map<Integer, Long> heldUntil = new HashMap<>();
        List<Batch> inOrder = new ArrayList<>(batches);
        inOrder.sort((a, b) -> Long.compare(a.opened, b.opened));
        for (Batch batch : inOrder) {
            Set<Integer> partitionDocuments = new HashSet<>();
            batch.messages.forEach(m -> partitionDocuments.add(m.partition()));
            for (int partition : partitionDocuments) {
                Long until = heldUntil.get(partition);
                assertTrue(until == null || until <= batch.opened, "two batches had partition " + partition);
                heldUntil.put(partition, batch.closing);
            }
        }
    }
}
