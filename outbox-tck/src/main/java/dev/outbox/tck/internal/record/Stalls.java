package dev.outbox.tck.internal.record;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * How long this process did not run although it was ready to: its machine was busy with others, asleep, or collected
 * garbage. While a process stands still its leases run out and its waits end, so what a test saw then is not the
 * store's doing. A thread asks to be woken every {@value #BEAT_MILLIS} ms and notes how late it was. Safe for use by
 * several threads.
 */
public final class Stalls {
    private static final int BEAT_MILLIS = 20;

    /** What is shorter than that harms nobody, and is not kept. */
    private static final long SHORTEST = TimeUnit.MILLISECONDS.toNanos(100);

    /** Without a lease only waits can be too short, and those are of seconds. */
    private static final Duration WITHOUT_LEASE = Duration.ofSeconds(2);

    private static final Stalls OF_THIS_PROCESS = new Stalls();

    private final Deque<Stall> stalls = new ArrayDeque<>();

    private record Stall(long ended, long nanos) {}

    private Stalls() {
        Thread thread = new Thread(this::watch, "tck-stalls");
        thread.setDaemon(true);
        thread.start();
    }

    public static Stalls ofThisProcess() {
        return OF_THIS_PROCESS;
    }

    private void watch() {
        while (true) {
            long asked = System.nanoTime();
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(BEAT_MILLIS));
            note(asked, System.nanoTime());
        }
    }

    private synchronized void note(long asked, long woken) {
        long late = woken - asked - TimeUnit.MILLISECONDS.toNanos(BEAT_MILLIS);
        if (late >= SHORTEST) {
            stalls.add(new Stall(woken, late));
            if (stalls.size() > 10_000) {
                stalls.remove();
            }
        }
    }

    /** The longest that ended after a time of {@link System#nanoTime}. */
    public synchronized Duration longestSince(long began) {
        return Duration.ofNanos(stalls.stream()
                .filter(stall -> stall.ended() - began > 0)
                .mapToLong(Stall::nanos)
                .max()
                .orElse(0));
    }

    /** How long a stall must be before what a test saw may be its doing, for a store with this lease or none. */
    public static Duration harmful(Optional<Duration> lease) {
        return lease.map(length -> length.dividedBy(3)).orElse(WITHOUT_LEASE);
    }
}
