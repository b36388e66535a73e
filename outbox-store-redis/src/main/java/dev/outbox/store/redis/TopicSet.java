package dev.outbox.store.redis;

import dev.outbox.internal.Log;
import dev.outbox.store.support.LeaseClock;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLongArray;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.Protocol;

/**
 * Checkouts of some topics. A batch is of one key space, because its outcomes take effect in one step (OBX-CLOSE-1);
 * key spaces take turns. One whose server is away rests, and the others go on. When its rest is over, a thread of its
 * own asks the server, so that no checkout waits for a server that is still away.
 */
final class TopicSet {
    private static final Log LOG = Log.of(TopicSet.class).sparing();
    private static final String UNREACHABLE = "[OUTBOX-404] A part of the outbox cannot be reached; the others go on";
    private static final long REST = TimeUnit.SECONDS.toNanos(1);

    /** A server that is back must have its messages served within ten seconds. */
    private static final long MOST_REST = TimeUnit.SECONDS.toNanos(5);

    /** A checkout that has waited for this long ends at the first lost connection: the next server may be the same. */
    private static final long PATIENCE = TimeUnit.SECONDS.toNanos(3);

    // What a key space does.
    private static final int WORKS = 0;
    private static final int RESTS = 1;
    private static final int IS_ASKED = 2;

    private final RetryingClient client;
    private final List<KeySpace> keySpaces;
    private final List<Checkout> checkouts;
    private final AtomicInteger turn = new AtomicInteger();
    private final AtomicLongArray restUntil;
    private final AtomicIntegerArray states;
    private volatile boolean closed;

    /** Of the only key space; where there are several, another one has the next turn. */
    private final @Nullable Prefetch prefetch;

    TopicSet(RetryingClient client, KeyNames keyNames, Set<String> topics, Duration lease, Aside aside) {
        this.client = client;
        this.keySpaces = keyNames.keySpaces();
        this.checkouts = keySpaces.stream()
                .map(keySpace -> new Checkout(client, keySpace, topics, lease, aside))
                .toList();
        this.restUntil = new AtomicLongArray(checkouts.size());
        this.states = new AtomicIntegerArray(checkouts.size());
        this.prefetch = checkouts.size() == 1 ? new Prefetch(client, checkouts.get(0)) : null;
    }

    @Nullable
    Prefetch prefetch() {
        return prefetch;
    }

    /** From now on nothing is checked out ahead. */
    void close() {
        closed = true;
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
        long called = System.nanoTime();
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
                noteAnswer(index);
                if (hold != null) {
                    return hold;
                }
            } catch (RuntimeException e) {
                failure = e;
                noteFailure(index, began);
                if (StoreErrors.isConnectionLost(e) && System.nanoTime() - called > PATIENCE) {
                    break;
                }
            }
        }
        if (failure != null) {
            if (answered == 0) {
                throw failure;
            }
            LOG.warn(UNREACHABLE, failure);
        }
        return null;
    }

    /** If its rest is over, this has its server asked, by one thread at a time. */
    private boolean isResting(int index) {
        if (checkouts.size() == 1 || states.get(index) == WORKS) {
            return false;
        }
        if (System.nanoTime() - restUntil.get(index) >= 0 && states.compareAndSet(index, RESTS, IS_ASKED)) {
            Thread asking = new Thread(() -> ask(index), "outbox-redis-asking");
            asking.setDaemon(true);
            try {
                asking.start();
            } catch (Error e) { // there is no room for another thread
                noteFailure(index, System.nanoTime());
            }
        }
        return true;
    }

    private void ask(int index) {
        long began = System.nanoTime();
        KeySpace keySpace = keySpaces.get(index);
        try {
            Reply.check(client.call(keySpace, Command.of(Protocol.Command.ZCARD, keySpace.ready())));
            noteAnswer(index);
        } catch (RuntimeException | Error e) {
            noteFailure(index, began);
            if (!closed) {
                LOG.warn(UNREACHABLE, e);
            }
        }
    }

    /** Where one key space works again the others may too: their rest ends. */
    private void noteAnswer(int index) {
        if (states.getAndSet(index, WORKS) != WORKS) {
            long now = System.nanoTime();
            for (int i = 0; i < checkouts.size(); i++) {
                restUntil.set(i, now);
            }
        }
    }

    private void noteFailure(int index, long began) {
        long now = System.nanoTime();
        restUntil.set(index, now + Math.max(REST, Math.min(MOST_REST, 10 * (now - began))));
        states.set(index, RESTS);
    }
}
