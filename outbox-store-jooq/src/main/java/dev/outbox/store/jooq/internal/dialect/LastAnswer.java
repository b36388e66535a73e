package dev.outbox.store.jooq.internal.dialect;

import java.time.Duration;

/**
 * When a server has last answered. By two clocks, because one of them stands still while a machine sleeps, and the
 * other may be set. Immutable.
 */
public record LastAnswer(long nanos, long millis) {
    /** After how long a silence a server ends a session that has a batch open; changed by tests alone. */
    public static volatile Duration silence = Duration.ofSeconds(60);

    /** As of now: to be taken before the server is asked. */
    public static LastAnswer now() {
        return new LastAnswer(System.nanoTime(), System.currentTimeMillis());
    }

    /** Whether both clocks say that it is no older. */
    public boolean isYoungerThan(Duration age) {
        return isYoungerThan(age.toNanos(), System.nanoTime());
    }

    /**
     * The same of an age in nanoseconds, for a caller that has read one of the clocks.
     *
     * @param now by {@link System#nanoTime}
     */
    public boolean isYoungerThan(long age, long now) {
        return now - nanos < age && Math.abs(System.currentTimeMillis() - millis) < age / 1_000_000;
    }
}
