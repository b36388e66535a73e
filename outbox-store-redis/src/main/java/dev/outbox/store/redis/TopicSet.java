package dev.outbox.store.redis;

import dev.outbox.store.support.LeaseClock;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLongArray;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Checkouts of some topics. A batch is of one key space, because its outcomes take effect in one step (OBX-CLOSE-1);
 * key spaces take turns. One whose server is away is left alone for a while, and the others go on.
 */
final class TopicSet {
    private static final Logger LOG = LoggerFactory.getLogger(TopicSet.class);
    private static final long REST = TimeUnit.SECONDS.toNanos(1);

    private final RetryingClient client;
    private final List<Checkout> checkouts;
    private final AtomicInteger turn = new AtomicInteger();
    private final AtomicLongArray restUntil;
    private final AtomicIntegerArray resting;

    /** Of the only key space; where there are several, another one has the next turn. */
    private final @Nullable Prefetch prefetch;

    TopicSet(RetryingClient client, KeyNames keyNames, Set<String> topics, Duration lease, Aside aside) {
        this.client = client;
        this.checkouts = keyNames.keySpaces().stream()
                .map(keySpace -> new Checkout(client, keySpace, topics, lease, aside))
                .toList();
        this.restUntil = new AtomicLongArray(checkouts.size());
        this.resting = new AtomicIntegerArray(checkouts.size());
        this.prefetch = checkouts.size() == 1 ? new Prefetch(client, checkouts.get(0)) : null;
    }

    @Nullable
    Prefetch prefetch() {
        return prefetch;
    }

    /** From now on nothing is checked out ahead. */
    void close() {
        if (prefetch != null) {
            prefetch.close();
        }
    }

    /** Others have told that they find all held. */
    void noteCompany() {
        checkouts.forEach(Checkout::noteCompany);
    }

    /**
     * The command to send instead of the close of a batch of this size, or null.
     *
     * @param renewed when its lease was asked for
     * @param company whether another batch is open
     */
    Checkout.@Nullable Next next(Hold hold, LeaseClock renewed, int limit, boolean company) {
        return prefetch != null && !company && prefetch.isSteady()
                ? checkouts.get(0).next(hold, renewed, limit)
                : null;
    }

    /** What the batch holds, or null if there are no messages. */
    @Nullable
    Hold run(int limit, boolean company) {
        Hold ahead = prefetch == null ? null : prefetch.take(limit);
        if (ahead != null) {
            return ahead;
        }
        int first = Math.floorMod(turn.getAndIncrement(), checkouts.size());
        RuntimeException failure = null;
        int answered = 0;
        for (int i = 0; i < checkouts.size(); i++) {
            int index = (first + i) % checkouts.size();
            if (isResting(index) && !(failure == null && answered == 0 && i == checkouts.size() - 1)) {
                continue; // but if all of them rest, one is tried, so that it is said what is wrong
            }
            long began = System.nanoTime();
            Checkout checkout = checkouts.get(index);
            if (company) {
                checkout.noteCompany();
            }
            try {
                Hold hold = checkout.run(limit, failed -> RedisBatch.release(client, failed));
                answered++;
                resting.set(index, 0);
                if (hold != null) {
                    return hold;
                }
            } catch (RuntimeException e) {
                failure = e;
                long now = System.nanoTime();
                // Ten times what it took to find out, so that it costs the others no more than a tenth of the time.
                restUntil.set(index, now + Math.max(REST, 10 * (now - began)));
                resting.set(index, 1);
            }
        }
        if (failure != null) {
            if (answered == 0) {
                throw failure;
            }
            LOG.warn("A part of the outbox cannot be reached; the others go on", failure);
        }
        return null;
    }

    private boolean isResting(int index) {
        return checkouts.size() > 1 && resting.get(index) != 0 && System.nanoTime() - restUntil.get(index) < 0;
    }
}
