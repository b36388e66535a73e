package dev.outbox.tck.internal.process;

import java.util.Random;

/**
 * How long after the begin of a task its process is killed. Drawn by lot, and closer and closer to the middle of the
 * task. Used by one thread.
 */
public final class KillTime {
    private final Random random;
    private final long usualNanos;
    private long early;
    private long late;

    /** Takes how long the task takes in a process that is not killed. */
    public KillTime(Random random, long usualNanos) {
        this.random = random;
        this.usualNanos = usualNanos;
        this.late = usualNanos;
    }

    /** The next time, in nanoseconds, at least 1. */
    public long draw() {
        return early + 1 + (long) (random.nextDouble() * (late - early));
    }

    /** The task had done nothing by then. */
    public void wasTooEarly(long afterNanos) {
        early = afterNanos;
        startAgainIfNarrow();
    }

    /** The task was over by then. */
    public void wasTooLate(long afterNanos) {
        late = afterNanos;
        startAgainIfNarrow();
    }

    /** One process is quicker than the next. */
    private void startAgainIfNarrow() {
        if (late - early < usualNanos / 16) {
            early = 0;
            late = usualNanos;
        }
    }
}
