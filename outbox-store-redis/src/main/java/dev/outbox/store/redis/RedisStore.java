package dev.outbox.store.redis;

import dev.outbox.Capabilities;
import dev.outbox.Capability;
import dev.outbox.MessageBatch;
import dev.outbox.store.support.GuardedStore;
import dev.outbox.store.support.LeaseClock;
import dev.outbox.store.support.TopicSets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** The store in Redis: what its checkouts know in common, and its open batches. */
final class RedisStore extends GuardedStore {
    private final Servers servers;
    private final Duration lease;
    private final Capabilities capabilities;
    private final Link link;
    private final Leases leases;
    private final Aside aside = new Aside();

    /** Batches that are open or being closed. */
    private final Set<RedisBatch> unfinished = ConcurrentHashMap.newKeySet();

    private final Listening listening;
    private final TopicSets<Checkouts> checkouts;

    RedisStore(Servers servers, Names names, Duration lease, boolean wakeUp) {
        this(servers, new Link(servers), names, lease, wakeUp);
    }

    private RedisStore(Servers servers, Link link, Names names, Duration lease, boolean wakeUp) {
        super(new RedisOperations(link, names));
        this.servers = servers;
        this.lease = lease;
        this.capabilities = wakeUp
                ? Capabilities.all()
                : Capabilities.all()
                        .without(Capability.WAKE_UP, "it was opened with wakeUp=false, or for an outbox without them");
        this.link = link;
        this.leases = new Leases(link, lease);
        this.listening = new Listening(servers, names.channel(), Listening.BETWEEN_PINGS);
        this.checkouts = new TopicSets<>(topics -> new Checkouts(link, names, topics, lease, aside), Checkouts::close);
    }

    @Override
    protected MessageBatch take(Set<String> topics, int limit) {
        Checkouts ofTopics = checkouts.of(topics);
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
        if (isClosed()) { // close() may have missed it
            endAll(List.of(batch));
        }
        return batch;
    }

    private RedisBatch.Sequel sequel(Checkouts ofTopics, int limit) {
        return new RedisBatch.Sequel() {
            @Override
            public void closing(RedisBatch batch) {
                leases.remove(batch);
            }

            @Override
            public Checkout.@Nullable Next next(Hold hold, LeaseClock renewed) {
                return isClosed() ? null : ofTopics.next(hold, renewed, limit, !leases.isEmpty());
            }

            @Override
            public void knocked() {
                ofTopics.noteCompany();
            }

            @Override
            public void ended(RedisBatch batch) {
                unfinished.remove(batch);
            }

            @Override
            public void closed(Checkout.@Nullable Next next, List<Object> replies) {
                Following following = ofTopics.following();
                if (following != null) {
                    following.noteClosed(next, replies, limit);
                    if (next != null) {
                        leases.watch(following);
                    }
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
        leases.close();
        endAll(unfinished);
        checkouts.endAll();
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

    @Override
    protected Subscription subscribe(Runnable listener) {
        return listening.add(listener);
    }
}
