package dev.outbox.store.redis;

import dev.outbox.Capabilities;
import dev.outbox.Capability;
import dev.outbox.DeadLetter;
import dev.outbox.MessageBatch;
import dev.outbox.MisuseException;
import dev.outbox.Operations;
import dev.outbox.Store;
import dev.outbox.WakeUps;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** The store in Redis: what its checkouts know in common, and its open batches. */
final class RedisStore implements Store, Operations, WakeUps {
    /** Relays ask for few different sets of topics; whoever asks for many only pays for looking them up again. */
    private static final int MOST_SETS_OF_TOPICS = 64;

    private final Servers servers;
    private final Names names;
    private final Duration lease;
    private final Capabilities capabilities;
    private final Link link;
    private final Operations operations;
    private final Leases leases;
    private final Aside aside = new Aside();

    /** Batches that are open or being closed. */
    private final Set<RedisBatch> unfinished = ConcurrentHashMap.newKeySet();

    private final Listening listening;
    private final Map<Set<String>, Checkouts> checkouts = new ConcurrentHashMap<>();
    private volatile boolean closed;

    RedisStore(Servers servers, Names names, Duration lease, boolean wakeUps) {
        this.servers = servers;
        this.names = names;
        this.lease = lease;
        this.capabilities = wakeUps
                ? Capabilities.all()
                : Capabilities.all()
                        .without(Capability.WAKE_UP, "it was opened with wakeUps=false, or for an outbox without them");
        this.link = new Link(servers);
        this.operations = new RedisOperations(link, names);
        this.leases = new Leases(link, lease);
        this.listening = new Listening(servers, names.channel(), Listening.BETWEEN_PINGS);
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
        Checkouts ofTopics = checkoutsOf(topics);
        long called = System.nanoTime();
        Hold hold;
        try {
            hold = ofTopics.run(limit, !leases.isEmpty());
        } catch (RuntimeException e) {
            requireOpen();
            throw Failures.of("A checkout", e);
        }
        RedisBatch batch;
        try {
            batch = new RedisBatch(link, hold, lease, sequel(ofTopics, limit));
            if (hold != null) {
                batch.refresh();
                unfinished.add(batch);
                leases.add(batch);
            }
        } catch (Throwable e) { // short of memory or of threads: nobody else is to wait for the end of the lease
            if (hold != null) {
                unfinished.removeIf(each -> each.hold() == hold);
                RedisBatch.release(link, hold);
            }
            throw e;
        }
        Following following = ofTopics.following();
        if (following != null) {
            following.noteCheckout(called, batch.messages().size(), limit);
        }
        if (closed) { // close() may have missed it
            endAll(List.of(batch));
        }
        return batch;
    }

    private RedisBatch.Sequel sequel(Checkouts checkouts, int limit) {
        return new RedisBatch.Sequel() {
            @Override
            public void closing(RedisBatch batch) {
                leases.remove(batch);
            }

            @Override
            public Checkout.@Nullable Next next(Hold hold, Moment renewed) {
                return closed ? null : checkouts.next(hold, renewed, limit, !leases.isEmpty());
            }

            @Override
            public void knocked() {
                checkouts.noteCompany();
            }

            @Override
            public void ended(RedisBatch batch) {
                unfinished.remove(batch);
            }

            @Override
            public void closed(Checkout.@Nullable Next next, List<Object> replies) {
                Following following = checkouts.following();
                if (following != null) {
                    following.noteClosed(next, replies, limit);
                    if (next != null) {
                        leases.watch(following);
                    }
                }
            }
        };
    }

    private Checkouts checkoutsOf(Set<String> topics) {
        Checkouts known = checkouts.get(topics);
        if (known != null) {
            return known;
        }
        if (checkouts.size() >= MOST_SETS_OF_TOPICS) {
            endAll();
            checkouts.clear();
        }
        return checkouts.computeIfAbsent(Set.copyOf(topics), t -> new Checkouts(link, names, t, lease, aside));
    }

    @Override
    public Capabilities capabilities() {
        return capabilities;
    }

    @Override
    public synchronized void close() {
        if (closed) {
            return;
        }
        closed = true;
        leases.close();
        endAll(unfinished);
        endAll();
        listening.close();
        servers.close();
    }

    /** In one round trip for each server's share, so that a server that is away is waited for once. */
    private void endAll(Collection<RedisBatch> batches) {
        Map<Place, List<Command>> byPlace = new HashMap<>();
        for (RedisBatch batch : batches) {
            Hold hold = batch.lose();
            if (hold != null) {
                hold.dropAhead();
                byPlace.computeIfAbsent(hold.place, place -> new ArrayList<>()).add(hold.release(hold.asked));
            }
        }
        byPlace.forEach(link::tell);
    }

    private void endAll() {
        for (Checkouts each : checkouts.values()) {
            Following following = each.following();
            if (following != null) {
                following.end();
            }
        }
    }

    private void requireOpen() {
        if (closed) {
            throw new MisuseException("The store is closed: close the relays first, then their store.");
        }
    }

    @Override
    public Subscription onWakeUp(Runnable listener) {
        requireOpen();
        return listening.add(listener);
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
