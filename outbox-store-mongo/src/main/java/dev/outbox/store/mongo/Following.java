package dev.outbox.store.mongo;

import com.mongodb.client.ClientSession;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A relay that works off a backlog asks for the next batch as soon as one is closed. So the transaction that closes a batch takes
 * its partitions anew instead of giving them back: one wait for the journals of a majority instead of two.
 *
 * <p>What that may cost others is that a partition is held although no batch is open, as if the relay had asked already. It
 * is bounded: it happens only behind {@value #STEADY} batches in a row that were full, were settled as a whole and followed each
 * other within {@value #GAP_MILLIS} ms, of all partitions that are known to have messages, in a store that has seen no other batch
 * for a while; and what is not fetched within {@value #KEEP_MILLIS} ms is given back. Safety rests on nothing of that: it is
 * a claim like any other, with a fence of its own and a lease that counts from before it was asked for.
 *
 * <p>Safe for use by several threads.
 */
final class Following implements AutoCloseable {
    private static final long KEEP_MILLIS = 20;
    private static final long KEEP = TimeUnit.MILLISECONDS.toNanos(KEEP_MILLIS);
    private static final int STEADY = 2;
    private static final long GAP_MILLIS = 5;
    private static final long GAP = TimeUnit.MILLISECONDS.toNanos(GAP_MILLIS);

    /** After so long without a batch nobody looks after this any more. */
    private static final long IDLE = TimeUnit.SECONDS.toNanos(1);

    /** Smaller batches are hardly those of a relay in a hurry. */
    private static final int LEAST_LIMIT = 10;

    /**
     * What was taken ahead.
     *
     * @param session that has claimed it, and whose operation time is that of the claim
     */
    record Ahead(Claim claim, ClientSession session, int limit, long since) {}

    private final Leases leases;
    private final AtomicReference<@Nullable Ahead> ahead = new AtomicReference<>();

    /** Held while a claim is being given back: a checkout would find nothing until that is done. */
    private final Object givingBack = new Object();

    // Guarded by this.
    private int inARow;
    private long closed = System.nanoTime() - GAP;
    private boolean watching;

    private volatile boolean ended;

    Following(Leases leases) {
        this.leases = leases;
    }

    /** What was taken ahead for such a checkout, the caller's to use or give back; null if there is nothing. */
    @Nullable
    Ahead take(int limit) {
        synchronized (givingBack) {
            Ahead found = ahead.getAndSet(null);
            if (found == null
                    || found.limit == limit && System.nanoTime() - found.since <= KEEP && found.claim.isTrusted()) {
                return found;
            }
            giveBack(found);
            return null;
        }
    }

    /**
     * A batch was checked out.
     *
     * @param called when
     */
    synchronized void noteCheckout(long called, int messages, int limit) {
        boolean follows = called - closed < GAP && messages == limit && limit >= LEAST_LIMIT;
        inARow = follows ? inARow + 1 : 0;
    }

    /** Whether a batch is expected to follow at once on one that is about to be closed. */
    synchronized boolean isSteady() {
        return inARow >= STEADY && !ended;
    }

    synchronized void noteClosed() {
        closed = System.nanoTime();
    }

    /** Keeps a claim that took effect for the next checkout, which will be with this limit. */
    void keep(Claim claim, ClientSession session, int limit) {
        // Its lease is not renewed: it lasts for far longer than this is kept, and if nobody looked after it, it would
        // end by itself.
        Ahead before = ahead.getAndSet(new Ahead(claim, session, limit, System.nanoTime()));
        if (before != null) {
            giveBack(before);
        }
        if (ended) {
            drop();
        }
        synchronized (this) {
            if (!watching) {
                Thread watch = new Thread(this::watch, "outbox-mongo-following");
                watch.setDaemon(true);
                watch.start();
                watching = true;
            }
        }
    }

    private void watch() {
        while (isWorthWatching()) {
            LockSupport.parkNanos(KEEP);
            try {
                giveBackWhatIsOld();
            } catch (RuntimeException | Error e) {
                // As when the heap was full. What was not given back is nobody's when its lease is over.
            }
        }
    }

    private void giveBackWhatIsOld() {
        synchronized (givingBack) {
            Ahead found = ahead.get();
            if (found != null && System.nanoTime() - found.since > KEEP && ahead.compareAndSet(found, null)) {
                giveBack(found);
            }
        }
    }

    private synchronized boolean isWorthWatching() {
        watching = ahead.get() != null || System.nanoTime() - closed < IDLE && !ended;
        return watching;
    }

    private void giveBack(Ahead found) {
        found.session.close();
        leases.abandon(List.of(found.claim));
    }

    private void drop() {
        Ahead found = ahead.getAndSet(null);
        if (found != null) {
            giveBack(found);
        }
    }

    /** Gives back what there is, now and from now on. */
    @Override
    public void close() {
        ended = true;
        drop();
    }
}
