package dev.outbox.tck.internal.record;

import java.time.Duration;

/** How long a test waits for what must happen. */
public final class Patience {
    /** The system property that sets it, in seconds. */
    public static final String PROPERTY = "outbox.tck.patience";

    private Patience() {}

    /** Generous, since a store that keeps the contract is quicker anyway. */
    public static Duration get() {
        return Duration.ofSeconds(Long.getLong(PROPERTY, 30));
    }
}
