package dev.outbox.store.mongo;

import com.mongodb.MongoException;
import com.mongodb.client.ClientSession;
import com.mongodb.client.MongoClient;
import dev.outbox.Capabilities;
import dev.outbox.MessageBatch;
import dev.outbox.StoreException;
import dev.outbox.store.support.GuardedStore;
import dev.outbox.store.support.PartitionRotation;
import dev.outbox.store.support.SetAside;
import dev.outbox.store.support.TopicSets;
import java.net.InetAddress;
import java.net.UnknownHostException;
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

    private final MongoClient client;
    private final @Nullable MongoClient own;
    private final OutboxCollections collections;
    private final BulkWrites bulkWrites;
    private final Capabilities capabilities;
    private final Partitions partitions;
    private final MessageReader reader;
    private final Leases leases;
    private final Takeover takeover;
    private final ChangeStream changeStream;
    private final TopicSets<Service> services = new TopicSets<>(this::serviceOf, service -> service.following.close());
    private final Primary primary;

    /** Until their close begins: those that keep others from partitions for who knows how long. */
    private final Set<MongoBatch> open = ConcurrentHashMap.newKeySet();

    /** Until their close has ended. */
    private final Set<MongoBatch> unfinished = ConcurrentHashMap.newKeySet();

    /** What the checkouts of the same topics share. */
    private record Service(
            Discovery discovery, PartitionRotation<Lane> rotation, SetAside<Lane> aside, Following following) {}

    /**
     * @param own the client if it is ours to close
     */
    MongoStore(
            MongoClient client,
            @Nullable MongoClient own,
            OutboxCollections collections,
            BulkWrites bulkWrites,
            Duration lease,
            Capabilities capabilities) {
        super(new MongoOperations(client, collections));
        this.client = client;
        this.own = own;
        this.collections = collections;
        this.bulkWrites = bulkWrites;
        this.capabilities = capabilities;
        this.partitions = new Partitions(collections.partitions(), process(), lease);
        this.reader = new MessageReader(collections, lease);
        this.primary = new Primary(client);
        this.takeover = new Takeover(client, primary, collections);
        this.leases = new Leases(partitions, takeover, lease);
        this.changeStream = new ChangeStream(collections.messages());
    }

    @Override
    protected MessageBatch take(Set<String> topics, int limit) {
        long called = System.nanoTime();
        if (!primary.await(MOST_WAIT)) {
            requireOpen();
            throw new StoreException("A checkout failed: there is no server at present that takes writes. "
                    + client.getClusterDescription().getShortDescription());
        }
        Service service = services.of(topics);
        if (!open.isEmpty()) {
            service.rotation.noteCompany();
        }
        MongoBatch batch;
        try (Checkout checkout = new Checkout(
                client,
                service.rotation,
                service.aside,
                service.discovery,
                partitions,
                reader,
                leases,
                takeover,
                Math.min(limit, MOST_MESSAGES))) {
            List<Held> held = checkout.run(service.following.take(limit));
            Settlement settlement =
                    new Settlement(collections, primary, bulkWrites, partitions, reader, service.rotation, leases);
            batch = new MongoBatch(
                    held, checkout.claims(), checkout.session(), settlement, leases, sequel(service, limit));
            if (!batch.messages().isEmpty()) {
                unfinished.add(batch);
                open.add(batch);
                checkout.handOver();
            }
        } catch (MongoException | IllegalStateException e) {
            requireOpen();
            throw Failures.of("A checkout", e);
        }
        service.following.noteCheckout(called, batch.messages().size(), limit);
        if (isClosed()) {
            leases.abandon(batch.lose()); // close() may have missed it
        }
        return batch;
    }

    private MongoBatch.Sequel sequel(Service service, int limit) {
        return new MongoBatch.Sequel() {
            @Override
            public @Nullable Claim closing(MongoBatch batch, List<Held> held) {
                open.remove(batch);
                List<Lane> lanes = held.stream().map(each -> each.lane).toList();
                boolean next = !lanes.isEmpty()
                        && !isClosed()
                        && open.isEmpty()
                        && service.following.isSteady()
                        && service.rotation.isAlone()
                        && !service.rotation.isDiscoveryDue(System.nanoTime())
                        && service.rotation.areAll(lanes, limit)
                        && held.stream().allMatch(each -> each.failing == null);
                return next ? new Claim(lanes, leases.trust()) : null;
            }

            @Override
            public void ended(MongoBatch batch) {
                unfinished.remove(batch);
            }

            @Override
            public void closed(@Nullable Claim next, ClientSession session) {
                service.following.noteClosed();
                if (next != null) {
                    service.following.keep(new Checkout.Ahead(next, session), limit);
                }
            }
        };
    }

    @Override
    public Capabilities capabilities() {
        return capabilities;
    }

    @Override
    public void close() {
        markClosed();
        changeStream.close();
        services.endAll();
        List<Claim> left = new ArrayList<>();
        unfinished.forEach(batch -> left.addAll(batch.lose()));
        open.clear();
        unfinished.clear();
        leases.abandon(left);
        leases.close();
        if (own != null) {
            own.close();
        }
    }

    private static String process() {
        long pid = ProcessHandle.current().pid();
        try {
            return pid + "@" + InetAddress.getLocalHost().getHostName();
        } catch (UnknownHostException e) {
            return pid + "@unknown";
        }
    }

    private Service serviceOf(Set<String> topics) {
        return new Service(
                new Discovery(collections, topics.stream().sorted().toList()),
                new PartitionRotation<>(Checkout.PACE),
                new SetAside<>(Checkout.ASIDE),
                new Following(leases));
    }

    @Override
    protected Subscription subscribe(Runnable listener) {
        return changeStream.add(listener);
    }
}
