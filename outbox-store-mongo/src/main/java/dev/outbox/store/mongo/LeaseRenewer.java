package dev.outbox.store.mongo;

import com.mongodb.MongoException;
import dev.outbox.internal.Log;
import dev.outbox.store.support.LeaseClock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Renews the leases of a store's claims while they live, on threads that do nothing else, so that no publisher, however
 * slow, can keep it from doing so. If it cannot, because the server is away, claims are no longer trusted when their
 * time is over, and nobody has to be told.
 *
 * <p>One thread does it all, unless it gets no answer: a connection whose other end vanished without a word may keep it
 * for many minutes. So a thread that begins a renewal sees to it that another thread waits to do the next.
 *
 * <p>Safe for use by several threads.
 */
final class LeaseRenewer implements AutoCloseable {
    private static final Log LOG = Log.of(LeaseRenewer.class);
    private static final AtomicInteger THREADS = new AtomicInteger();

    /** Enough for the time in which the driver still hands out connections to a server that has vanished. */
    private static final int MOST_THREADS = 8;

    private final PartitionDocuments partitionDocuments;
    private final ExpiredHolds expiredHolds;
    private final Duration lease;
    private final Set<Hold> holds = new LinkedHashSet<>();
    private long nextRenewal;
    private int threads;
    private int waiting;
    private boolean closed;

    LeaseRenewer(PartitionDocuments partitionDocuments, ExpiredHolds expiredHolds, Duration lease) {
        this.partitionDocuments = partitionDocuments;
        this.expiredHolds = expiredHolds;
        this.lease = lease;
    }

    /**
     * For how long a claim may be relied on: less than the server keeps it, because its clocks may differ from ours in
     * speed, and those of its members from each other.
     */
    Duration trust() {
        return lease.dividedBy(4).multipliedBy(3);
    }

    /** A lease, or longer if something needs longer. */
    Duration atLeast(Duration needed) {
        return needed.compareTo(lease) > 0 ? needed : lease;
    }

    /** How long to wait between renewals. */
    private long pauseNanos() {
        return trust().dividedBy(4).toNanos();
    }

    /** Keeps a claim alive until it is removed. */
    synchronized void add(Hold hold) {
        if (holds.isEmpty()) {
            nextRenewal = System.nanoTime() + pauseNanos();
        }
        holds.add(hold);
        if (threads == 0) {
            startThread();
        }
    }

    synchronized void remove(Hold hold) {
        holds.remove(hold);
    }

    /**
     * Releases claims whose outcome no longer matters, or is known to be none. None of them is renewed afterwards,
     * whatever happens after that; if giving back fails, the end of the lease will do.
     */
    void abandon(Collection<Hold> given) {
        synchronized (this) {
            holds.removeAll(given);
        }
        given.forEach(Hold::lose);
        expiredHolds.giveBack(given);
    }

    @Override
    public synchronized void close() {
        closed = true;
        notifyAll();
    }

    private void startThread() {
        if (closed) {
            return;
        }
        Thread thread = new Thread(this::run, "outbox-mongo-leases-" + THREADS.incrementAndGet());
        thread.setDaemon(true);
        thread.start();
        threads++;
    }

    /**
     * Until it is closed, whatever happens: without it every batch would lose its hold that lasts for longer than a
     * lease.
     */
    private void run() {
        try {
            while (true) {
                try {
                    List<Hold> due = next();
                    if (due == null) {
                        return;
                    }
                    renewIfPossible(due);
                } catch (InterruptedException | RuntimeException | Error e) {
                    // As when there was no memory for a list. It is tried again when the next renewal is due.
                }
            }
        } finally {
            synchronized (this) {
                threads--;
            }
        }
    }

    private void startThreadIfPossible() {
        try {
            synchronized (this) {
                if (waiting == 0 && threads < MOST_THREADS) {
                    startThread();
                }
            }
        } catch (Error e) {
            // There is no room for another one; this one renews nevertheless.
        }
    }

    private void renewIfPossible(List<Hold> due) {
        try {
            startThreadIfPossible();
            renew(due);
        } catch (MongoException | IllegalStateException e) {
            LOG.debug("Leases could not be renewed; trying again", e);
        } catch (RuntimeException | Error e) {
            // As when a batch that is too large has filled the heap. The next renewal may find it emptier, and ending
            // here would cost every batch its hold that lasts for longer than a lease. Logging needs memory too.
        }
    }

    /**
     * Waits until it is time, and returns the claims there are then; null when closed. Does not wait for claims to be
     * there, but looks again, which makes taking partitions cheaper: nobody has to be woken up for that.
     */
    private synchronized @Nullable List<Hold> next() throws InterruptedException {
        waiting++;
        try {
            while (!closed) {
                long left = holds.isEmpty() ? pauseNanos() : nextRenewal - System.nanoTime();
                if (left <= 0) {
                    nextRenewal = System.nanoTime() + pauseNanos();
                    return new ArrayList<>(holds);
                }
                wait(left / 1_000_000 + 1);
            }
            return null;
        } finally {
            waiting--;
        }
    }

    /** All by one statement; only if that found less than there should be, each by its own. */
    private void renew(List<Hold> due) {
        LeaseClock sent = LeaseClock.now();
        List<Partition> partitions =
                due.stream().flatMap(hold -> hold.partitions().stream()).toList();
        if (partitions.isEmpty()) {
            return;
        }
        long renewed = partitionDocuments.renew(
                partitions, due.stream().map(hold -> hold.fence).toList(), lease);
        if (renewed == partitions.size()) {
            due.forEach(hold -> hold.renewed(sent));
        } else {
            due.forEach(this::renew);
        }
    }

    private void renew(Hold hold) {
        LeaseClock sent = LeaseClock.now();
        List<Partition> partitions = hold.partitions();
        if (partitions.isEmpty()) {
            return;
        }
        if (partitionDocuments.renew(partitions, List.of(hold.fence), lease) == partitions.size()) {
            hold.renewed(sent);
            return;
        }
        synchronized (this) {
            // What was given back meanwhile is no loss: all of it if the claim is closed, or what has no messages.
            if (holds.contains(hold) && hold.partitions().equals(partitions)) {
                holds.remove(hold);
                hold.lose();
            }
        }
    }
}
