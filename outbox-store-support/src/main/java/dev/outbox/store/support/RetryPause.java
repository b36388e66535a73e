package dev.outbox.store.support;

import java.time.Duration;

/**
 * The pauses between attempts to listen for wake-ups again while a server is away. They double from {@value
 * #FIRST_MILLIS} ms up to {@value #LONGEST_MILLIS} ms and stay there. So the first wake-up comes soon after the server
 * is back, and one attempt in each step costs a server nothing. Used by one thread.
 */
public final class RetryPause {
    private static final long FIRST_MILLIS = 100;
    private static final long LONGEST_MILLIS = 500;

    private long next = FIRST_MILLIS;

    /** The pause before the next attempt. */
    public Duration next() {
        long pause = next;
        next = Math.min(2 * pause, LONGEST_MILLIS);
        return Duration.ofMillis(pause);
    }

    /** An attempt succeeded. The pauses begin again with the shortest. */
    public void reset() {
        next = FIRST_MILLIS;
    }

    /** Whether the next pause is the first since the last success. */
    public boolean isFirst() {
        return next == FIRST_MILLIS;
    }
}
