package dev.outbox.store.mongo;

import com.mongodb.MongoException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Renews the leases of a store's claims while they live, on a thread that does nothing else, so that no publisher, however
 * slow, can keep it from doing so. If it cannot, because the server is away, claims are not trusted any more when their time
 * is over, and nobody has to be told.
 *
 * <p>Safe for use by several threads.
 */
final class Leases implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Leases.class);
    private static final AtomicInteger THREADS = new AtomicInteger();

    private final Partitions partitions;
    private final Duration lease;
    private final Set<Claim> claims = new LinkedHashSet<>();
    private @Nullable Thread thread;
    private boolean closed;

    Leases(Partitions partitions, Duration lease) {
        this.partitions = partitions;
        this.lease = lease;
    }

    /**
     * For how many nanoseconds a claim may be relied on: less than the server keeps it, because its clocks may differ from
     * ours in speed, and those of its members from each other.
     */
    long trust() {
        return lease.toNanos() / 4 * 3;
    }

    /** Keeps a claim alive until it is removed. */
    synchronized void add(Claim claim) {
        claims.add(claim);
        if (thread == null && !closed) {
            thread = new Thread(this::run, "outbox-mongo-leases-" + THREADS.incrementAndGet());
            thread.setDaemon(true);
            thread.start();
        }
        notifyAll();
    }

    synchronized void remove(Claim claim) {
        claims.remove(claim);
    }

    /** Gives a claim up whose outcome does not matter any more. If that fails, the end of its lease will do. */
    void abandon(Claim claim) {
        remove(claim);
        claim.lose();
        List<Lane> lanes = claim.lanes();
        if (!lanes.isEmpty()) {
            try {
                partitions.release(lanes, claim.fence);
            } catch (MongoException | IllegalStateException e) {
                LOG.debug("Partitions {} stay held until their lease is over", lanes, e);
            }
        }
    }

    @Override
    public synchronized void close() {
        closed = true;
        notifyAll();
    }

    private void run() {
        try {
            for (List<Claim> due = next(); due != null; due = next()) {
                try {
                    renew(due);
                } catch (RuntimeException e) {
                    LOG.debug("Leases could not be renewed; trying again", e);
                }
            }
        } catch (InterruptedException e) {
            LOG.debug("Interrupted; leases are not renewed any more", e);
        }
    }

    /** Waits, a quarter of what claims are trusted for, and returns those there are then; null when closed. */
    private synchronized @Nullable List<Claim> next() throws InterruptedException {
        long pause = Math.max(1, trust() / 4_000_000);
        long until = System.nanoTime() + pause * 1_000_000;
        for (long left = pause; left > 0 && !closed; left = (until - System.nanoTime()) / 1_000_000) {
            wait(left);
        }
        while (claims.isEmpty() && !closed) {
            wait();
        }
        return closed ? null : new ArrayList<>(claims);
    }

    /** All by one statement; only if that found less than there should be, each by its own. */
    private void renew(List<Claim> due) {
        long sent = System.nanoTime();
        List<Lane> lanes = due.stream().flatMap(claim -> claim.lanes().stream()).toList();
        if (lanes.isEmpty()) {
            return;
        }
        long renewed =
                partitions.renew(lanes, due.stream().map(claim -> claim.fence).toList());
        if (renewed == lanes.size()) {
            due.forEach(claim -> claim.renewed(sent));
        } else {
            due.forEach(this::renew);
        }
    }

    private void renew(Claim claim) {
        synchronized (claim) {
            long sent = System.nanoTime();
            List<Lane> lanes = claim.lanes();
            if (!lanes.isEmpty() && partitions.renew(lanes, List.of(claim.fence)) == lanes.size()) {
                claim.renewed(sent);
                return;
            }
        }
        synchronized (this) {
            // One that was closed meanwhile has given its partitions back, and that is no loss.
            if (claims.remove(claim)) {
                claim.lose();
            }
        }
    }
}
