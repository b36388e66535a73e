package dev.outbox.store.mongo;

import com.mongodb.MongoException;
import com.mongodb.client.ClientSession;
import com.mongodb.client.MongoClient;
import dev.outbox.Capabilities;
import dev.outbox.StoreException;
import dev.outbox.internal.Log;
import dev.outbox.store.support.GuardedStore;
import dev.outbox.store.support.OutcomeBatch;
import dev.outbox.store.support.PartitionRotation;
import dev.outbox.store.support.SetAside;
import dev.outbox.store.support.Surroundings;
import dev.outbox.store.support.ThisProcess;
import dev.outbox.store.support.TopicSets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** The store on MongoDB: what its checkouts know in common, and its open batches. */
final class MongoStore extends GuardedStore {
    /** More would make a statement that names all of a batch too large, and a transaction too long. */
    private static final int MOST_MESSAGES = 10_000;

    /** How long a checkout waits for a primary, so that a relay that is to end does not have to wait for longer. */
    private static final Duration MOST_WAIT = Duration.ofSeconds(3);

    /** How long a close waits for a server that does not answer. */
    private static final Duration CLOSING = Duration.ofSeconds(10);

    private static final Log LOG = Log.of(MongoStore.class);

    private final MongoClient client;
    private final @Nullable MongoClient own;
    private final OutboxCollections collections;
    private final BulkWrites bulkWrites;
    private final Capabilities capabilities;
    private final PartitionDocuments partitionDocuments;
    private final MessageReader reader;
    private final LeaseRenewer leaseRenewer;
    private final ExpiredHolds expiredHolds;
    private final WakeUpListener wakeUpListener;
    private final TopicSets<TopicSet> services = new TopicSets<>(this::serviceOf, service -> service.prefetch.close());
    private final Primary primary;
    private final Surroundings<OutboxCollections, RuntimeException> surroundings;

    /** Until their close begins: those that keep others from partitions for who knows how long. */
    private final Set<MongoBatch> open = ConcurrentHashMap.newKeySet();

    /** Until their close has ended. */
    private final Set<MongoBatch> unfinished = ConcurrentHashMap.newKeySet();

    /** What the checkouts of the same topics share. */
    private record TopicSet(
            Discovery discovery, PartitionRotation<Partition> rotation, SetAside<Partition> aside, Prefetch prefetch) {}

    /**
     * @param own the client if it is ours to close
     */
    MongoStore(
            MongoClient client,
            @Nullable MongoClient own,
            OutboxCollections collections,
            BulkWrites bulkWrites,
            Duration lease,
            Capabilities capabilities,
            Surroundings<OutboxCollections, RuntimeException> surroundings) {
        super(new MongoOperations(client, collections, surroundings));
        this.surroundings = surroundings;
        this.client = client;
        this.own = own;
        this.collections = collections;
        this.bulkWrites = bulkWrites;
        this.capabilities = capabilities;
        this.partitionDocuments = new PartitionDocuments(collections.partitions(), ThisProcess.NAME, lease);
        this.reader = new MessageReader(collections, lease);
        this.primary = new Primary(client);
        this.expiredHolds = new ExpiredHolds(client, primary, collections);
        this.leaseRenewer = new LeaseRenewer(partitionDocuments, expiredHolds, lease);
        this.wakeUpListener = new WakeUpListener(collections.messages());
    }

    @Override
    protected OutcomeBatch take(Set<String> topics, int limit) {
        long called = System.nanoTime();
        if (!primary.await(MOST_WAIT)) {
            requireOpen();
            throw new StoreException("A checkout failed: there is no server at present that takes writes. "
                    + client.getClusterDescription().getShortDescription());
        }
        requireSurroundings();
        TopicSet service = services.of(topics);
        if (!open.isEmpty()) {
            service.rotation.noteCompany();
        }
        MongoBatch batch;
        try (Checkout checkout = new Checkout(
                client,
                service.rotation,
                service.aside,
                service.discovery,
                partitionDocuments,
                reader,
                leaseRenewer,
                expiredHolds,
                Math.min(limit, MOST_MESSAGES))) {
            List<HeldPartition> held = checkout.run(service.prefetch.take(limit));
            BatchCloser closer = new BatchCloser(
                    collections, primary, bulkWrites, partitionDocuments, reader, service.rotation, leaseRenewer);
            batch = new MongoBatch(
                    held, checkout.holds(), checkout.session(), closer, leaseRenewer, sequel(service, limit));
            if (!batch.messages().isEmpty()) {
                unfinished.add(batch);
                open.add(batch);
                checkout.handOver();
            }
        } catch (MongoException | IllegalStateException e) {
            requireOpen();
            throw StoreErrors.of("A checkout", e);
        }
        service.prefetch.noteCheckout(called, batch.messages().size(), limit);
        if (isClosed()) {
            lose(batch); // close() may have missed it
        }
        return batch;
    }

    private void requireSurroundings() {
        try {
            surroundings.require(collections);
        } catch (MongoException | IllegalStateException e) {
            requireOpen();
            throw StoreErrors.of("A checkout", e);
        }
    }

    private MongoBatch.Sequel sequel(TopicSet service, int limit) {
        return new MongoBatch.Sequel() {
            @Override
            public @Nullable Hold closing(MongoBatch batch, List<HeldPartition> held) {
                open.remove(batch);
                List<Partition> partitions =
                        held.stream().map(each -> each.partition).toList();
                boolean next = !partitions.isEmpty()
                        && !isClosed()
                        && open.isEmpty()
                        && service.prefetch.isSteady()
                        && service.rotation.isAlone()
                        && !service.rotation.isDiscoveryDue(System.nanoTime())
                        && service.rotation.areAll(partitions, limit)
                        && held.stream().allMatch(each -> each.failing == null);
                return next ? new Hold(partitions, leaseRenewer.trust()) : null;
            }

            @Override
            public void ended(MongoBatch batch) {
                unfinished.remove(batch);
            }

            @Override
            public void closed(@Nullable Hold next, ClientSession session) {
                service.prefetch.noteClosed();
                if (next != null) {
                    service.prefetch.keep(new Checkout.Ahead(next, session), limit);
                }
            }
        };
    }

    @Override
    public Capabilities capabilities() {
        return capabilities;
    }

    @Override
    public synchronized void close() {
        if (!markClosed()) {
            return;
        }
        // First of all: what comes next may wait for a server, and nothing is to stay held for that long.
        leaseRenewer.close();
        List<MongoBatch> left = unfinished.stream().filter(MongoBatch::lose).toList();
        wakeUpListener.close();
        Thread ending = new Thread(() -> end(left), "outbox-mongo-closing");
        ending.setDaemon(true);
        try {
            ending.start();
        } catch (Error e) { // there is no room for another thread
            end(left);
            return;
        }
        try {
            ending.join(CLOSING.toMillis());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /**
     * The server is asked to free partitions and sessions. If it does not answer, that takes until the driver gives up,
     * and the ends of the leases will do.
     */
    private void end(List<MongoBatch> left) {
        tryTo(() -> giveBack(left));
        tryTo(services::endAll);
        unfinished.forEach(MongoBatch::awaitClose);
        open.clear();
        unfinished.clear();
        if (own != null) {
            own.close();
        }
    }

    private void giveBack(List<MongoBatch> left) {
        List<Hold> holds = new ArrayList<>();
        left.forEach(batch -> holds.addAll(batch.giveBack()));
        leaseRenewer.abandon(holds);
    }

    private static void tryTo(Runnable step) {
        try {
            step.run();
        } catch (RuntimeException | Error e) {
            LOG.warn(
                    "[OUTBOX-312] Partitions were not released when their store was closed; they are free when their"
                            + " lease ends",
                    e);
        }
    }

    private void lose(MongoBatch batch) {
        if (batch.lose()) {
            leaseRenewer.abandon(batch.giveBack());
        }
    }

    private TopicSet serviceOf(Set<String> topics) {
        return new TopicSet(
                new Discovery(collections, topics.stream().sorted().toList()),
                new PartitionRotation<>(Checkout.PACE),
                new SetAside<>(Checkout.ASIDE),
                new Prefetch(leaseRenewer));
    }

    @Override
    protected Subscription subscribe(Runnable listener) {
        return wakeUpListener.add(listener);
    }
}
