package dev.outbox.store.mongo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import com.mongodb.MongoException;
import com.mongodb.client.ClientSession;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoDatabase;
import dev.outbox.MessageBatch;
import dev.outbox.OutboxException;
import dev.outbox.OutgoingMessage;
import dev.outbox.PersistedMessage;
import dev.outbox.Store;
import dev.outbox.servers.MongoCluster;
import dev.outbox.tck.NetworkHarness;
import dev.outbox.tck.NetworkTck;
import dev.outbox.tck.StoreTck;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;

/** Two shards, which exchange partitions, and two routers, of which one dies. Seven servers are many for two processors. */
@Tag("mongo")
@Tag("mongo-sharded")
@Tag("versions")
@Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class MongoShardedTest {
    private static final String TOPIC = TestOutbox.TOPIC;
    private static final String MESSAGES = "outbox_messages";
    private static final int PARTITIONS = 4;
    private static final int MOVES = 4;

    /** This many messages are acknowledged, and half as many settled, between two moves. */
    private static final int BETWEEN_MOVES = 40;

    /** Those that a shard or a router of its own could break. */
    private static final String RULES = "OBX-TX-3,OBX-TX-4,OBX-EXCL-1,OBX-ORDER-*";

    private final AtomicBoolean stopWriting = new AtomicBoolean();
    private final AtomicBoolean stopRelaying = new AtomicBoolean();

    /** The texts that each writer committed, in their order. */
    private final List<List<String>> acknowledged = new ArrayList<>();

    /** Texts in the order in which batches had them. */
    private final List<String> came = new ArrayList<>();

    private final Map<String, String> ids = new HashMap<>();
    private final Set<String> settled = ConcurrentHashMap.newKeySet();

    /** Run from within, and not found by itself. */
    static class Tck extends NetworkTck {
        @Override
        public NetworkHarness harness() {
            return new MongoShardedHarness();
        }
    }

    @Test
    void theRulesThatPlacesCouldBreakAreKept() {
        SummaryGeneratingListener listener = new SummaryGeneratingListener();
        LauncherFactory.create()
                .execute(
                        LauncherDiscoveryRequestBuilder.request()
                                .selectors(selectClass(Tck.class))
                                .configurationParameter(StoreTck.LEVEL, "1")
                                .configurationParameter(StoreTck.RULES, RULES)
                                .configurationParameter(StoreTck.REPORT, "none")
                                .build(),
                        listener);
        TestExecutionSummary summary = listener.getSummary();
        assertEquals(
                List.of(),
                summary.getFailures().stream()
                        .map(failure -> failure.getTestIdentifier().getDisplayName() + ": "
                                + failure.getException().getMessage())
                        .toList());
        assertTrue(summary.getTestsSucceededCount() >= 10, summary.getTestsSucceededCount() + " tests that succeeded");
    }

    @Test
    void chunksThatMoveAndARouterThatDiesLoseAndReorderNothing() throws Exception {
        MongoCluster cluster = MongoCluster.shared();
        MongoShardedHarness harness = new MongoShardedHarness();
        String address = harness.createOutbox();
        String database = MongoHarness.database(address);
        ExecutorService threads = Executors.newCachedThreadPool();
        List<Future<?>> writing = new ArrayList<>();
        List<Future<?>> relaying = new ArrayList<>();
        try (Store one = harness.open(address);
                Store other = harness.open(address)) {
            for (int writer = 0; writer < 2; writer++) {
                acknowledged.add(new ArrayList<>());
                writing.add(threads.submit(writer(address, writer)));
            }
            relaying.add(threads.submit(relay(one)));
            relaying.add(threads.submit(relay(other)));
            for (int move = 0; move < MOVES; move++) {
                awaitProgress();
                int shard = move % 2;
                TestOutbox.eventually("a chunk has moved", () -> hasMoved(cluster, database, shard));
                if (move == 1) {
                    cluster.killRouter(0);
                    awaitProgress();
                    cluster.restartRouter(0);
                }
            }
            awaitProgress();
            stopWriting.set(true);
            for (Future<?> each : writing) {
                each.get();
            }
            TestOutbox.eventually("everything is settled", () -> settled.containsAll(written()) ? true : null);
            stopRelaying.set(true);
            for (Future<?> each : relaying) {
                each.get();
            }
        } finally {
            stopWriting.set(true);
            stopRelaying.set(true);
            threads.shutdownNow();
        }
        harness.dropOutbox(address);
        acknowledged.forEach(this::assertOrder);
        System.out.println("history db=mongo-sharded moves=" + MOVES + " acknowledged="
                + written().size() + " came=" + came.size() + " settled=" + settled.size());
    }

    /** To one shard, and then back. A shard that is still busy with the last move refuses the next. */
    private static @Nullable Boolean hasMoved(MongoCluster cluster, String database, int shard) {
        try {
            cluster.move(database, MESSAGES, TOPIC, 1, shard);
            return true;
        } catch (MongoException e) {
            return null;
        }
    }

    private Set<String> written() {
        Set<String> all = new HashSet<>();
        for (List<String> each : acknowledged) {
            synchronized (each) {
                all.addAll(each);
            }
        }
        return all;
    }

    private void awaitProgress() throws Exception {
        int before = written().size();
        int settledBefore = settled.size();
        TestOutbox.eventually(
                "messages are written and published",
                () -> written().size() >= before + BETWEEN_MOVES && settled.size() >= settledBefore + BETWEEN_MOVES / 2
                        ? true
                        : null);
    }

    /** A text says who wrote it, into which partition, and as what number. */
    private Callable<Boolean> writer(String address, int number) {
        MongoClient client = MongoShardedHarness.client(address);
        MongoDatabase database = client.getDatabase(MongoHarness.database(address));
        List<String> mine = acknowledged.get(number);
        return () -> {
            for (int i = 0; !stopWriting.get(); i++) {
                int partition = i % PARTITIONS;
                String text = number + "/" + partition + "/" + i;
                try (ClientSession session = client.startSession()) {
                    session.withTransaction(() -> MongoOutbox.persist(session, database)
                            .persist(new OutgoingMessage(
                                    TOPIC, partition, null, Map.of(), text.getBytes(StandardCharsets.UTF_8))));
                    synchronized (mine) {
                        mine.add(text);
                    }
                } catch (MongoException | OutboxException e) {
                    // Whether it was committed is not known.
                }
            }
            return true;
        };
    }

    private Callable<Boolean> relay(Store store) {
        return () -> {
            while (!stopRelaying.get()) {
                List<PersistedMessage> published = List.of();
                try (MessageBatch batch = store.checkout(Set.of(TOPIC), 10)) {
                    note(batch.messages());
                    batch.messages().forEach(message -> batch.markPublished(message, null));
                    published = batch.messages();
                } catch (OutboxException e) {
                    published = List.of(); // they come again
                }
                published.forEach(message -> settled.add(TestOutbox.text(message)));
            }
            return true;
        };
    }

    /** An attempt of a transaction that was given up would come with another id. */
    private synchronized void note(List<PersistedMessage> messages) {
        for (PersistedMessage each : messages) {
            String text = TestOutbox.text(each);
            assertEquals(ids.computeIfAbsent(text, first -> each.id()), each.id(), "the id of " + text);
            came.add(text);
        }
    }

    private void assertOrder(List<String> written) {
        for (int partition = 0; partition < PARTITIONS; partition++) {
            String part = "/" + partition + "/";
            List<String> expected =
                    written.stream().filter(text -> text.contains(part)).toList();
            Set<String> known = new HashSet<>(expected);
            assertEquals(
                    expected,
                    came.stream().filter(known::contains).distinct().toList(),
                    "first deliveries, in their order, of partition " + partition);
        }
    }
}
