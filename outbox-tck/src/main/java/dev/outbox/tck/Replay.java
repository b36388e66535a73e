package dev.outbox.tck;

import java.time.Duration;

/** Repeats a sequence of operations that an exploration found. */
public final class Replay {
    private Replay() {}

    /**
     * A sequence without steps: add those that a report shows, and call {@link Steps#run}.
     *
     * @param harness makes the outbox that they are run on
     */
    public static Steps on(StoreHarness harness) {
        return new Steps(new HarnessTarget(harness), harness.lease().orElse(Duration.ZERO));
    }
}
