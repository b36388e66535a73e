package dev.outbox.store.redis;

import dev.outbox.internal.Log;
import dev.outbox.store.support.LeaseClock;
import dev.outbox.store.support.Prefetcher;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import redis.clients.jedis.exceptions.JedisDataException;

/**
 * Renews the leases of open batches, three times in the length of one, on threads of its own: publishers may take all
 * others for as long as they like. It asks in one round trip for each key space, and in all of them at the same time:
 * the server of one may not answer, and those of others do not wait for it.
 */
final class LeaseRenewer implements AutoCloseable {
    private static final Log LOG = Log.of(LeaseRenewer.class);
    private static final int BEATS = 3;

    private final RetryingClient client;
    private final Duration lease;
    private final byte[] leaseMillis;
    private final Set<RedisBatch> open = ConcurrentHashMap.newKeySet();
    private final Thread thread = new Thread(this::run, "outbox-redis-leases");
    private final ExecutorService renewing = Executors.newCachedThreadPool(task -> {
        Thread one = new Thread(task, "outbox-redis-renewal");
        one.setDaemon(true);
        return one;
    });

    /** Where an answer is being waited for. */
    private final Set<KeySpace> asked = ConcurrentHashMap.newKeySet();

    /** Where the last answer did not come, which was said. */
    private final Set<KeySpace> failing = ConcurrentHashMap.newKeySet();

    /** Whether it is being looked for what was not fetched. */
    private final AtomicBoolean looking = new AtomicBoolean();

    private boolean started;
    private volatile boolean closed;

    /** Which may have checked out something ahead. */
    private final Set<Prefetch> watched = ConcurrentHashMap.newKeySet();

    LeaseRenewer(RetryingClient client, Duration lease) {
        this.client = client;
        this.lease = lease;
        this.leaseMillis = KeySpace.bytes(Long.toString(lease.toMillis()));
    }

    void add(RedisBatch batch) {
        start();
        open.add(batch);
    }

    void remove(RedisBatch batch) {
        open.remove(batch);
    }

    boolean isEmpty() {
        return open.isEmpty();
    }

    private synchronized void start() {
        if (!started && !closed) {
            thread.setDaemon(true);
            thread.start();
            started = true;
        }
    }

    /** Something was checked out ahead, and is given back if nobody fetches it. */
    void watch(Prefetch prefetch) {
        if (!watched.contains(prefetch) && watched.add(prefetch)) {
            start();
            LockSupport.unpark(thread);
        }
    }

    private void run() {
        long beat = lease.toNanos() / BEATS;
        long next = System.nanoTime() + beat;
        boolean failing = false;
        while (!closed) {
            LockSupport.parkNanos(watched.isEmpty() ? next - System.nanoTime() : Math.min(Prefetcher.KEEP, beat));
            if (closed) {
                return;
            }
            boolean due = System.nanoTime() - next >= 0;
            if (due) {
                next = System.nanoTime() + beat;
            }
            try {
                if (due) {
                    renew();
                }
                lookAfterWatched();
                failing = false;
            } catch (Throwable e) { // whatever it is, the next beat may do better
                if (!failing && !closed) {
                    LOG.warn("[OUTBOX-407] The work on leases failed; those that are not renewed run out", e);
                }
                failing = true;
            }
        }
    }

    /** On another thread, because a server may let it wait: the next beat does not. */
    private void lookAfterWatched() {
        if (!watched.isEmpty() && looking.compareAndSet(false, true)) {
            try {
                renewing.execute(this::dropStale);
            } catch (Throwable e) {
                looking.set(false);
                throw e;
            }
        }
    }

    private void dropStale() {
        try {
            for (Prefetch each : List.copyOf(watched)) {
                if (!each.dropStale()) {
                    watched.remove(each); // until it is used again, as it may have been in this very moment
                    if (each.dropStale()) {
                        watched.add(each);
                    }
                }
            }
        } finally {
            looking.set(false);
        }
    }

    private void renew() {
        Map<KeySpace, List<RedisBatch>> byKeySpace = new HashMap<>();
        for (RedisBatch batch : open) {
            Hold hold = batch.hold();
            if (hold != null) {
                byKeySpace
                        .computeIfAbsent(hold.keySpace, keySpace -> new ArrayList<>())
                        .add(batch);
            }
        }
        byKeySpace.forEach((keySpace, batches) -> {
            if (asked.add(keySpace)) {
                try {
                    renewing.execute(() -> tryToRenew(keySpace, batches));
                } catch (Throwable e) {
                    if (closed) {
                        asked.remove(keySpace);
                    } else {
                        tryToRenew(keySpace, batches); // there is no thread to be had: this one does it
                    }
                }
            }
        });
    }

    private void tryToRenew(KeySpace keySpace, List<RedisBatch> batches) {
        try {
            renew(keySpace, batches);
            failing.remove(keySpace);
        } catch (Throwable e) { // whatever it is, the next beat may do better
            noteFailure(keySpace, e);
        } finally {
            asked.remove(keySpace);
        }
    }

    private void noteFailure(KeySpace keySpace, Throwable e) {
        if (failing.add(keySpace) && !closed) {
            LOG.warn(
                    "[OUTBOX-408] Leases could not be renewed; they run out {} ms after the last renewal",
                    lease.toMillis(),
                    e);
        }
    }

    private void renew(KeySpace keySpace, List<RedisBatch> batches) {
        List<Command> commands = new ArrayList<>(batches.size());
        for (RedisBatch batch : batches) {
            Hold hold = batch.hold();
            if (hold != null) {
                commands.add(hold.renew(hold.partitions, leaseMillis));
            }
        }
        LeaseClock now = LeaseClock.now();
        List<Object> replies = client.all(keySpace, commands);
        JedisDataException refused = null;
        for (int i = 0; i < replies.size(); i++) {
            RedisBatch batch = batches.get(i);
            if (replies.get(i) instanceof JedisDataException e) {
                refused = e; // that of one batch costs no other its trust
            } else if (Reply.number(replies.get(i)) == 1) {
                batch.noteRenewed(now);
            } else if (open.contains(batch)) {
                batch.noteLost();
            }
        }
        if (refused != null) {
            throw refused;
        }
    }

    @Override
    public synchronized void close() {
        closed = true;
        thread.interrupt();
        renewing.shutdownNow();
    }
}
