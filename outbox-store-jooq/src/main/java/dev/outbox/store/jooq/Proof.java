package dev.outbox.store.jooq;

import java.time.Duration;

/**
 * When a server has last answered. By two clocks, because one of them stands still while a machine sleeps, and the other may be
 * set. Immutable.
 */
record Proof(long nanos, long millis) {
    /** After how long a silence a server ends a session that has a batch open; changed by tests alone. */
    static volatile Duration silence = Duration.ofSeconds(60);

    /** As of now: to be taken before the server is asked. */
    static Proof now() {
        return new Proof(System.nanoTime(), System.currentTimeMillis());
    }

    /** Whether both clocks say that it is no older. */
    boolean isYoungerThan(Duration age) {
        return System.nanoTime() - nanos < age.toNanos()
                && Math.abs(System.currentTimeMillis() - millis) < age.toMillis();
    }
}
