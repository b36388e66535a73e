package dev.outbox.store.redis;

import dev.outbox.Capabilities;
import dev.outbox.Capability;
import dev.outbox.internal.Log;
import dev.outbox.store.support.GuardedStore;
import dev.outbox.store.support.LeaseClock;
import dev.outbox.store.support.OutcomeBatch;
import dev.outbox.store.support.Surroundings;
import dev.outbox.store.support.TopicSets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** The store in Redis: what its checkouts know in common, and its open batches. */
final class RedisStore extends GuardedStore {
    /** How long a close waits for servers that do not answer. */
    private static final long CLOSING = TimeUnit.SECONDS.toNanos(10);

    private static final Log LOG = Log.of(RedisStore.class);

    private final RedisClientAdapter adapter;
    private final Duration lease;
    private final Capabilities capabilities;
    private final KeyNames keyNames;
    private final RetryingClient client;
    private final LeaseRenewer leaseRenewer;
    private final Surroundings<KeyNames, RuntimeException> surroundings;
    private final Aside aside = new Aside();

    /** Batches that are open or being closed. */
    private final Set<RedisBatch> unfinished = ConcurrentHashMap.newKeySet();

    private final WakeUpListener wakeUpListener;
    private final TopicSets<TopicSet> topicSets;

    RedisStore(
            RedisClientAdapter adapter,
            RetryingClient client,
            KeyNames keyNames,
            Duration lease,
            boolean wakeUp,
            Surroundings<KeyNames, RuntimeException> surroundings) {
        super(new RedisOperations(client, keyNames, surroundings));
        this.adapter = adapter;
        this.surroundings = surroundings;
        this.lease = lease;
        Capabilities known = Capabilities.all()
                .without(
                        Capability.FINDING,
                        "a stream has no index by the ids of messages, and another one would cost every message two"
                                + " commands; list the topic instead");
        this.capabilities = wakeUp
                ? known
                : known.without(Capability.WAKE_UP, "it was opened with wakeUp=false, or for an outbox without them");
        this.keyNames = keyNames;
        this.client = client;
        this.leaseRenewer = new LeaseRenewer(client, lease);
        this.wakeUpListener = new WakeUpListener(adapter, keyNames.channel(), WakeUpListener.BETWEEN_PINGS);
        this.topicSets =
                new TopicSets<>(topics -> new TopicSet(client, keyNames, topics, lease, aside), TopicSet::close);
    }

    @Override
    protected OutcomeBatch take(Set<String> topics, int limit) {
        TopicSet topicSet = topicSets.of(topics);
        long called = System.nanoTime();
        Hold hold;
        try {
            surroundings.require(keyNames);
            hold = topicSet.run(limit, !leaseRenewer.isEmpty());
        } catch (RuntimeException e) {
            requireOpen();
            throw StoreErrors.of("A checkout", e);
        }
        RedisBatch batch;
        try {
            batch = new RedisBatch(client, hold, lease, sequel(topicSet, limit));
            if (hold != null) {
                batch.refresh();
                unfinished.add(batch);
                leaseRenewer.add(batch);
            }
        } catch (Throwable e) { // short of memory or of threads: nobody else is to wait for the end of the lease
            if (hold != null) {
                unfinished.removeIf(each -> each.hold() == hold);
                RedisBatch.release(client, hold);
            }
            throw e;
        }
        Prefetch prefetch = topicSet.prefetch();
        if (prefetch != null) {
            prefetch.noteCheckout(called, batch.messages().size(), limit);
        }
        if (isClosed()) { // close() may have missed it
            release(loseAll(List.of(batch)));
        }
        return batch;
    }

    /** Only keys of one slot can be written in one step. */
    @Override
    protected boolean isMovable(int from, int to) {
        return keyNames.index(from) == keyNames.index(to);
    }

    private RedisBatch.Sequel sequel(TopicSet topicSet, int limit) {
        return new RedisBatch.Sequel() {
            @Override
            public void closing(RedisBatch batch) {
                leaseRenewer.remove(batch);
            }

            @Override
            public Checkout.@Nullable Next next(Hold hold, LeaseClock renewed) {
                return isClosed() ? null : topicSet.next(hold, renewed, limit, !leaseRenewer.isEmpty());
            }

            @Override
            public void knocked() {
                topicSet.noteCompany();
            }

            @Override
            public void ended(RedisBatch batch) {
                unfinished.remove(batch);
            }

            @Override
            public void closed(Checkout.@Nullable Next next, List<Object> replies) {
                Prefetch prefetch = topicSet.prefetch();
                if (prefetch != null) {
                    prefetch.noteClosed(next, replies, limit);
                    if (next != null) {
                        leaseRenewer.watch(prefetch);
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
        long end = System.nanoTime() + CLOSING;
        // First of all: what comes next may wait for a server, and no batch is to be held for that long.
        leaseRenewer.close();
        List<Hold> left = loseAll(unfinished);
        wakeUpListener.close();
        Thread ending = new Thread(() -> end(left), "outbox-redis-closing");
        ending.setDaemon(true);
        try {
            ending.start();
        } catch (Error e) { // there is no room for another thread
            end(left);
            return;
        }
        try {
            ending.join(Math.max(1, TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime())));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** If a server does not answer, this takes longer than anyone waits, and the ends of the leases will do. */
    private void end(List<Hold> left) {
        tryTo(() -> release(left));
        tryTo(topicSets::endAll);
        unfinished.forEach(RedisBatch::awaitClose);
        adapter.close();
    }

    private static void tryTo(Runnable step) {
        try {
            step.run();
        } catch (RuntimeException | Error e) {
            LOG.warn(
                    "[OUTBOX-409] Partitions were not released when their store was closed; they are free when their"
                            + " lease ends",
                    e);
        }
    }

    private static List<Hold> loseAll(Collection<RedisBatch> batches) {
        return batches.stream().map(RedisBatch::lose).filter(Objects::nonNull).toList();
    }

    /** In one round trip for each server's share, so that a server that is away is waited for once. */
    private void release(List<Hold> holds) {
        Map<KeySpace, List<Command>> byKeySpace = new HashMap<>();
        for (Hold hold : holds) {
            hold.dropAhead();
            byKeySpace
                    .computeIfAbsent(hold.keySpace, keySpace -> new ArrayList<>())
                    .add(hold.release(hold.asked));
        }
        byKeySpace.forEach(client::tell);
    }

    @Override
    protected Subscription subscribe(Runnable listener) {
        return wakeUpListener.add(listener);
    }
}
