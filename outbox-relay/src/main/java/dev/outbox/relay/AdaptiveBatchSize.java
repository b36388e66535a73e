package dev.outbox.relay;

/**
 * How many messages a worker asks for: what it was told to, less where that number did not fit into memory, because
 * large payloads would otherwise stop the outbox forever, and less where most of a batch was read for nothing, because
 * its partitions fail at their heads or its time is over before it is done. Confined to the worker's thread.
 */
final class AdaptiveBatchSize {
    /** How many batches must do well before more is dared; rare, since finding out too late hurts the whole process. */
    private static final int PROBATION = 64;

    private final int most;
    private int fitting;
    private int useful;
    private int successes;

    AdaptiveBatchSize(int most) {
        this.most = most;
        this.fitting = most;
        this.useful = most;
    }

    int get() {
        return Math.min(fitting, useful);
    }

    /** Takes note of a round that ran out of memory, and returns whether less will be asked for from now on. */
    boolean wasTooMuch() {
        successes = 0;
        boolean less = get() > 1;
        fitting = Math.max(1, get() / 2);
        return less;
    }

    /** Takes note of how many messages a batch had and how many of them were of use. */
    void saw(int messages, int used) {
        if (used == 0) {
            return;
        }
        if (fitting < most && ++successes == PROBATION) {
            successes = 0;
            fitting = twice(fitting);
        }
        if (2L * used < messages) {
            useful = twice(used);
        } else if (2L * used > messages) {
            useful = twice(useful);
        }
    }

    private int twice(int count) {
        return (int) Math.min(most, 2L * count);
    }
}
