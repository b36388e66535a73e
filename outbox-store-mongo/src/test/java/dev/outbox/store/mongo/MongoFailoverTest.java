package dev.outbox.store.mongo;

import static dev.outbox.store.mongo.TestOutbox.TOPIC;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.mongodb.MongoException;
import com.mongodb.client.ClientSession;
import dev.outbox.MessageBatch;
import dev.outbox.OutboxException;
import dev.outbox.PersistFunc;
import dev.outbox.PersistedMessage;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.servers.MongoServer;
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
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Three members, of which the primary is killed again and again while messages are written and relayed. */
@Tag("mongo")
@Timeout(value = 300, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class MongoFailoverTest {
    private static final int WRITERS = 2;
    private static final int RELAYS = 2;
    private static final int PARTITIONS = 4;
    private static final int KILLS = 3;

    /** So much has to happen between two kills, and after the last, that they fall into the middle of something. */
    private static final int BETWEEN_KILLS = 300;

    private final AtomicBoolean stopWriting = new AtomicBoolean();
    private final AtomicBoolean stopRelaying = new AtomicBoolean();
    private final AtomicInteger acknowledged = new AtomicInteger();

    /** What a writer knows of its messages, in the order in which it wrote them: true if the commit was confirmed. */
    private final List<Map<String, Boolean>> written = new ArrayList<>();

    private final Queue<Batch> batches = new ConcurrentLinkedQueue<>();
    private final Set<String> settled = ConcurrentHashMap.newKeySet();

    /** What a relay did: when the checkout returned, what it had, and what became of it. */
    private record Batch(long opened, long closing, List<PersistedMessage> messages, boolean confirmed) {}

    @Test
    void nothingIsLostOrReorderedAndWhatWasSettledStaysSettled() throws Exception {
        ExecutorService threads = Executors.newCachedThreadPool();
        List<Future<?>> writing = new ArrayList<>();
        List<Future<?>> relaying = new ArrayList<>();
        try (MongoServer server = MongoServer.packaged(3)) {
            TestOutbox outbox = new TestOutbox(server);
            for (int w = 0; w < WRITERS; w++) {
                Map<String, Boolean> mine = new LinkedHashMap<>();
                written.add(mine);
                writing.add(threads.submit(writer(outbox, mine)));
            }
            List<Store> stores = new ArrayList<>();
            for (int r = 0; r < RELAYS; r++) {
                Store store = Stores.open(outbox.url, StoreOptions.defaults().with(MongoOutbox.LEASE_MILLIS, "15000"));
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
        checkWhatCame();
        checkOrder();
        checkExclusive();
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
                    // Not confirmed: it may come, and it may not.
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
                    continue; // no primary
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
                boolean confirmed;
                try {
                    batch.close();
                    confirmed = true;
                    published.forEach(m -> settled.add(m.id()));
                } catch (OutboxException e) {
                    confirmed = false;
                }
                if (!published.isEmpty()) {
                    batches.add(new Batch(opened, closing, published, confirmed));
                    n++;
                }
            }
            return n;
        };
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
                .anyMatch(b -> !b.confirmed && b.messages.stream().anyMatch(m -> m.id().equals(id)));
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

    /** Every acknowledged message came, nothing came that nobody wrote, nothing came after it was settled. */
    private void checkWhatCame() {
        Set<String> known = new HashSet<>();
        Set<String> came = new HashSet<>();
        Map<String, Long> confirmedAt = new HashMap<>();
        for (Batch batch : batches) {
            for (PersistedMessage message : batch.messages) {
                came.add(message.id());
                if (batch.confirmed) {
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
            Set<Integer> partitions = new HashSet<>();
            batch.messages.forEach(m -> partitions.add(m.partition()));
            for (int partition : partitions) {
                Long until = heldUntil.get(partition);
                assertTrue(until == null || until <= batch.opened, "two batches had partition " + partition);
                heldUntil.put(partition, batch.closing);
            }
        }
    }
}
