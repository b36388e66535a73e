package dev.outbox.store.redis;

import dev.outbox.Capabilities;
import dev.outbox.Capability;
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
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** The store in Redis: what its checkouts know in common, and its open batches. */
final class RedisStore extends GuardedStore {
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
        this.capabilities = wakeUp
                ? Capabilities.all()
                : Capabilities.all()
                        .without(Capability.WAKE_UP, "it was opened with wakeUp=false, or for an outbox without them");
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
            endAll(List.of(batch));
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
        leaseRenewer.close();
        endAll(unfinished);
        topicSets.endAll();
        wakeUpListener.close();
        adapter.close();
    }

    /** In one round trip for each server's share, so that a server that is away is waited for once. */
    private void endAll(Collection<RedisBatch> batches) {
        Map<KeySpace, List<Command>> byKeySpace = new HashMap<>();
        for (RedisBatch batch : batches) {
            Hold hold = batch.lose();
            if (hold != null) {
                hold.dropAhead();
                byKeySpace
                        .computeIfAbsent(hold.keySpace, keySpace -> new ArrayList<>())
                        .add(hold.release(hold.asked));
            }
        }
        byKeySpace.forEach(client::tell);
    }

    @Override
    protected Subscription subscribe(Runnable listener) {
        return wakeUpListener.add(listener);
    }
}
