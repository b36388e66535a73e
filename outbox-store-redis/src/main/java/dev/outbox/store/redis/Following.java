package dev.outbox.store.redis;

import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * A relay that works off a backlog asks for the next batch as soon as one is closed. So closing a batch sends the next checkout
 * along: one wait for the server, and for its disk, instead of two.
 *
 * <p>What that may cost others is that a partition is held although no batch is open, as if the relay had asked already. It
 * is bounded: it happens only behind a batch that was full, was settled as a whole and had itself followed another one within
 * {@value #GAP_MILLIS} ms, in the store of a single worker that has seen no other batch for a while; and what is not fetched within
 * {@value #KEEP_MILLIS} ms is given back. Safety rests on nothing of that. It is the hold of the batch
 * before, with its token and its fence, which never lapses in between, because the script that passes it on leaves them as they are; and
 * anybody else who takes the partition changes both. So whoever closes with them has had the partition without a break since it was
 * taken. The lease counts from the last request that was confirmed. What may arrive late or twice does no harm: passing on asks for the last
 * message of its batch, which is gone by then; renewing prolongs; and closing and releasing leave the token as closed, after which it
 * takes nothing and settles nothing.
 *
 * <p>Safe for use by several threads.
 */
final class Following {
    static final long KEEP_MILLIS = 20;
    static final long KEEP = TimeUnit.MILLISECONDS.toNanos(KEEP_MILLIS);
    private static final long GAP_MILLIS = 5;
    private static final long GAP = TimeUnit.MILLISECONDS.toNanos(GAP_MILLIS);

    /** After so long without a batch it is not looked after any more. */
    private static final long IDLE = TimeUnit.SECONDS.toNanos(1);

    /** Smaller batches are hardly those of a relay in a hurry. */
    private static final int LEAST_LIMIT = 10;

    /** What was checked out ahead. */
    private record Ahead(Hold hold, int limit, long since) {}

    private final Link link;
    private final Checkout checkout;
    private final AtomicReference<@Nullable Ahead> ahead = new AtomicReference<>();

    /** Held while a hold is being given back: a checkout would find nothing until that is done. */
    private final Object givingBack = new Object();

    // Guarded by this.
    private boolean steady;
    private long closed = System.nanoTime() - GAP;
    private long called = closed;

    private volatile boolean ended;

    Following(Link link, Checkout checkout) {
        this.link = link;
        this.checkout = checkout;
    }

    /** What was checked out ahead, brought up to now; or null if there is nothing, or it is for something else. */
    @Nullable
    Hold take(int limit) {
        Ahead found;
        synchronized (givingBack) {
            found = ahead.getAndSet(null);
            if (found == null) {
                return null;
            }
            if (found.limit != limit || System.nanoTime() - found.since > KEEP) {
                RedisBatch.release(link, found.hold);
                return null;
            }
        }
        return checkout.complete(found.hold, limit, hold -> RedisBatch.release(link, hold));
    }

    synchronized void noteCheckout(long called, int messages, int limit) {
        this.called = called;
        steady = called - closed < GAP && messages == limit && limit >= LEAST_LIMIT;
    }

    /** Whether a batch is expected to follow at once on the one that is about to be closed. */
    synchronized boolean isSteady() {
        return steady;
    }

    /** A batch was closed; {@code next} went with it, and these are the answers. */
    void noteClosed(Checkout.@Nullable Next next, List<Object> replies, int limit) {
        long took;
        synchronized (this) {
            closed = System.nanoTime();
            took = closed - called;
        }
        if (next == null) {
            return;
        }
        try {
            checkout.answered(next, replies);
            checkout.readAhead(next.hold, limit, took);
            Ahead before = ahead.getAndSet(new Ahead(next.hold, limit, System.nanoTime()));
            if (before != null) {
                RedisBatch.release(link, before.hold);
            }
        } catch (Throwable e) {
            // Whatever it is, want of memory for one: the batch was closed, and nothing failed that anybody has asked
            // for. The
            // checkout that comes next will say what is wrong.
            RedisBatch.release(link, next.hold);
        }
        if (ended) {
            drop();
        }
    }

    /** Gives back what was not fetched in time; returns whether it is still worth looking. */
    boolean dropStale() {
        long now = System.nanoTime();
        synchronized (givingBack) {
            Ahead found = ahead.get();
            if (found != null && now - found.since > KEEP && ahead.compareAndSet(found, null)) {
                RedisBatch.release(link, found.hold);
            }
        }
        synchronized (this) {
            return ahead.get() != null || now - closed < IDLE;
        }
    }

    /** Gives back what there is, now and from now on. */
    void end() {
        ended = true;
        drop();
    }

    private void drop() {
        Ahead found = ahead.getAndSet(null);
        if (found != null) {
            RedisBatch.release(link, found.hold);
        }
    }
}
