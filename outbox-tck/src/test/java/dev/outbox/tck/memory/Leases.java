package dev.outbox.tck.memory;

import dev.outbox.StoreException;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongPredicate;

/**
 * Renews the leases of a client's open batches, on a thread of its own that nothing but this uses. Safe for use by several
 * threads.
 *
 * <p>A lease is counted from before it was asked for, so it ends here before it ends on the server, and a process that was
 * paused knows when it wakes that it may have lost its hold: the clock has gone on.
 */
final class Leases implements AutoCloseable {
    private final long nanos;
    private final LongPredicate renewal;
    private final Map<Long, Long> untilByHold = new ConcurrentHashMap<>();
    private final Thread thread = new Thread(this::run, "memory-outbox-leases");

    /** Renews by a call that takes the number of a hold and returns whether it is still held. */
    Leases(Duration lease, LongPredicate renewal) {
        this.nanos = lease.toNanos();
        this.renewal = renewal;
        thread.setDaemon(true);
        thread.start();
    }

    /** Adds a hold that was asked for at this {@link System#nanoTime}. */
    void add(long hold, long asked) {
        untilByHold.put(hold, asked + nanos);
    }

    void remove(long hold) {
        untilByHold.remove(hold);
    }

    boolean isHeld(long hold) {
        Long until = untilByHold.get(hold);
        return until != null && System.nanoTime() - until < 0;
    }

    private void run() {
        try {
            while (true) {
                Thread.sleep(nanos / 4 / 1_000_000);
                for (long hold : untilByHold.keySet()) {
                    long asked = System.nanoTime();
                    boolean held = renew(hold);
                    untilByHold.computeIfPresent(hold, (number, until) -> held ? (Long) (asked + nanos) : null);
                }
            }
        } catch (InterruptedException e) {
            // closed
        }
    }

    /** A hold whose connection has ended is lost with it. */
    private boolean renew(long hold) {
        try {
            return renewal.test(hold);
        } catch (StoreException e) {
            return false;
        }
    }

    @Override
    public void close() {
        untilByHold.clear();
        thread.interrupt();
    }
}
