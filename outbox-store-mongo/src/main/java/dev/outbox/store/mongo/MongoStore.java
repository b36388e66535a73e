package dev.outbox.store.mongo;

import com.mongodb.MongoException;
import com.mongodb.client.ClientSession;
import com.mongodb.client.MongoClient;
import dev.outbox.Capabilities;
import dev.outbox.DeadLetter;
import dev.outbox.MessageBatch;
import dev.outbox.MisuseException;
import dev.outbox.Operations;
import dev.outbox.Store;
import dev.outbox.StoreException;
import dev.outbox.WakeUps;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** The store on MongoDB: what its checkouts know in common, and its open batches. */
final class MongoStore implements Store, Operations, WakeUps {
    /** Relays ask for few different sets of topics; whoever asks for many only pays for looking them up again. */
    private static final int MOST_SETS_OF_TOPICS = 64;

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
    private final Operations operations;
    private final ChangeStream changeStream;
    private final Map<Set<String>, Service> services = new ConcurrentHashMap<>();
    private final Primary primary;

    /** Until their close begins: those that keep others from partitions for who knows how long. */
    private final Set<MongoBatch> open = ConcurrentHashMap.newKeySet();

    /** Until their close has ended. */
    private final Set<MongoBatch> unfinished = ConcurrentHashMap.newKeySet();

    private volatile boolean closed;

    /** What the checkouts of the same topics share. */
    private record Service(Discovery discovery, Candidates candidates, Following following) {}

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
        this.operations = new MongoOperations(client, collections);
        this.changeStream = new ChangeStream(collections.messages());
    }

    @Override
    public MessageBatch checkout(Set<String> topics, int limit) {
        if (topics.isEmpty()) {
            throw new MisuseException("No topics given; expected at least one.");
        }
        if (limit < 1) {
            throw new MisuseException("limit is " + limit + "; expected at least 1.");
        }
        requireOpen();
        long called = System.nanoTime();
        if (!primary.await(MOST_WAIT)) {
            requireOpen();
            throw new StoreException("A checkout failed: there is no server at present that takes writes. "
                    + client.getClusterDescription().getShortDescription());
        }
        Service service = serviceOf(topics);
        if (!open.isEmpty()) {
            service.candidates.noteCompany();
        }
        MongoBatch batch;
        try (Checkout checkout = new Checkout(
                client,
                service.candidates,
                service.discovery,
                partitions,
                reader,
                leases,
                takeover,
                Math.min(limit, MOST_MESSAGES))) {
            List<Held> held = checkout.run(service.following.take(limit));
            Settlement settlement =
                    new Settlement(collections, primary, bulkWrites, partitions, reader, service.candidates, leases);
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
        if (closed) {
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
                        && !closed
                        && open.isEmpty()
                        && service.following.isSteady()
                        && service.candidates.areNext(lanes, limit)
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
                    service.following.keep(next, session, limit);
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
        closed = true;
        changeStream.close();
        endServices();
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
        Service known = services.get(topics);
        if (known != null) {
            return known;
        }
        if (services.size() >= MOST_SETS_OF_TOPICS) {
            endServices();
            services.clear();
        }
        return services.computeIfAbsent(
                Set.copyOf(topics),
                t -> new Service(
                        new Discovery(collections, t.stream().sorted().toList()),
                        new Candidates(),
                        new Following(leases)));
    }

    private void endServices() {
        services.values().forEach(service -> service.following.close());
    }

    private void requireOpen() {
        if (closed) {
            throw new MisuseException("The store is closed: close the relays first, then their store.");
        }
    }

    @Override
    public Subscription onWakeUp(Runnable listener) {
        requireOpen();
        return changeStream.add(listener);
    }

    @Override
    public List<Backlog> backlog() {
        requireOpen();
        return operations.backlog();
    }

    @Override
    public List<FailingPartition> failingPartitions() {
        requireOpen();
        return operations.failingPartitions();
    }

    @Override
    public boolean retryNow(String topic, int partition) {
        requireOpen();
        return operations.retryNow(topic, partition);
    }

    @Override
    public List<DeadLetter> deadLetters(String topic, @Nullable String afterId, int limit) {
        requireOpen();
        return operations.deadLetters(topic, afterId, limit);
    }

    @Override
    public Optional<DeadLetter> deadLetter(String id) {
        requireOpen();
        return operations.deadLetter(id);
    }

    @Override
    public int redrive(Collection<String> ids) {
        requireOpen();
        return operations.redrive(ids);
    }

    @Override
    public int discard(Collection<String> ids) {
        requireOpen();
        return operations.discard(ids);
    }
}
