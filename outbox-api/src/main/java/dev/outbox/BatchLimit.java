package dev.outbox;

import org.jspecify.annotations.Nullable;

/**
 * How many messages a worker asks for: what it was told to, and less where so many did not fit into memory, because large
 * payloads would otherwise stop the outbox for ever. Confined to the worker's thread.
 */
final class BatchLimit {
    /** How many batches must do well before more is dared; rare, since finding out too late hurts the whole process. */
    private static final int PROBATION = 64;

    private final int most;
    private int current;
    private int successes;

    BatchLimit(int most) {
        this.most = most;
        this.current = most;
    }

    int get() {
        return current;
    }

    /** Takes note of how a round went, and returns whether less will be asked for from now on. */
    boolean saw(RoundResult result) {
        if (isOutOfMemory(result.storeError())) {
            successes = 0;
            boolean less = current > 1;
            current = Math.max(1, current / 2);
            return less;
        }
        if (current < most && result.metMessages() && ++successes == PROBATION) {
            successes = 0;
            current = (int) Math.min(most, 2L * current);
        }
        return false;
    }

    /** Drivers wrap it. */
    private static boolean isOutOfMemory(@Nullable Throwable error) {
        return Causes.any(error, cause -> cause instanceof OutOfMemoryError);
    }
}
