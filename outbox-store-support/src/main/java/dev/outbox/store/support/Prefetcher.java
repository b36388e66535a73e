package dev.outbox.store.support;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A relay that works off a backlog asks for the next batch as soon as one is closed. So the close of a batch takes its
 * partitions for the next one, and one wait for the server is saved.
 *
 * <p>What that may cost others is that a partition is held although no batch is open, as if the relay had asked
 * already. It is bounded here: it happens only after several batches in a row that were full and followed each other
 * within {@value #GAP_MILLIS} ms, and what is not fetched within {@value #KEEP_MILLIS} ms is given back. Safety rests
 * on nothing of that: what is taken has to be a hold like any other.
 *
 * <p>Safe for use by several threads.
 *
 * @param <T> what is taken for the next batch
 */
public final class Prefetcher<T> implements AutoCloseable {
    /** After how many milliseconds what was not fetched is given back. */
    public static final long KEEP_MILLIS = 20;

    /** The same in nanoseconds. */
    public static final long KEEP = TimeUnit.MILLISECONDS.toNanos(KEEP_MILLIS);

    private static final long GAP_MILLIS = 5;
    private static final long GAP = TimeUnit.MILLISECONDS.toNanos(GAP_MILLIS);

    /** After a second without a batch there is nothing left to look after. */
    private static final long IDLE = TimeUnit.SECONDS.toNanos(1);

    /** Smaller batches are hardly those of a relay in a hurry. */
    private static final int LEAST_LIMIT = 10;

    private record Taken<T>(T hold, int limit, long since) {
        boolean isStale() {
            return System.nanoTime() - since > KEEP;
        }
    }

    private final int steady;
    private final Consumer<T> giveBack;
    private final AtomicReference<@Nullable Taken<T>> taken = new AtomicReference<>();

    /** Held while something is being given back: a checkout would find nothing until that is done. */
    private final Object givingBack = new Object();

    // Guarded by this.
    private int inARow;
    private long closed = System.nanoTime() - GAP;
    private long called = closed;

    private volatile boolean ended;

    /**
     * Starts with nothing.
     *
     * @param steady after how many batches in a row it begins
     * @param giveBack frees what nobody has fetched; must not throw
     */
    public Prefetcher(int steady, Consumer<T> giveBack) {
        this.steady = steady;
        this.giveBack = giveBack;
    }

    /** What was taken for a checkout with this limit, the caller's to use or to give back; null if there is nothing. */
    public @Nullable T take(int limit) {
        synchronized (givingBack) {
            Taken<T> found = taken.getAndSet(null);
            if (found == null) {
                return null;
            }
            if (found.limit == limit && !found.isStale()) {
                return found.hold;
            }
            giveBack.accept(found.hold);
            return null;
        }
    }

    /**
     * A batch was checked out.
     *
     * @param when when the checkout was called, by {@link System#nanoTime}
     */
    public synchronized void noteCheckout(long when, int messages, int limit) {
        called = when;
        boolean follows = when - closed < GAP && messages == limit && limit >= LEAST_LIMIT;
        inARow = follows ? inARow + 1 : 0;
    }

    /** Whether a batch is expected to follow immediately on one that is about to be closed. */
    public synchronized boolean isSteady() {
        return inARow >= steady && !ended;
    }

    /** A batch was closed; returns how long ago its checkout was called. */
    public synchronized Duration noteClosed() {
        closed = System.nanoTime();
        return Duration.ofNanos(closed - called);
    }

    /** Keeps what a close has taken for the next checkout, which will be with this limit. */
    public void keep(T hold, int limit) {
        Taken<T> before = taken.getAndSet(new Taken<>(hold, limit, System.nanoTime()));
        if (before != null) {
            giveBack.accept(before.hold);
        }
        if (ended) {
            close();
        }
    }

    /** Gives back what was not fetched in time. */
    public void dropStale() {
        synchronized (givingBack) {
            Taken<T> found = taken.get();
            if (found != null && found.isStale() && taken.compareAndSet(found, null)) {
                giveBack.accept(found.hold);
            }
        }
    }

    /** Whether something may have to be given back soon. */
    public synchronized boolean isWorthWatching() {
        return taken.get() != null || System.nanoTime() - closed < IDLE && !ended;
    }

    /** Gives back what there is, now and from now on. */
    @Override
    public void close() {
        ended = true;
        Taken<T> found = taken.getAndSet(null);
        if (found != null) {
            giveBack.accept(found.hold);
        }
    }
}
