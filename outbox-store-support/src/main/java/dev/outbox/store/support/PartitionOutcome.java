package dev.outbox.store.support;

import dev.outbox.spi.BatchOutcomes;
import dev.outbox.spi.Outcome;
import java.time.Duration;
import java.util.function.IntFunction;
import org.jspecify.annotations.Nullable;

/**
 * What became of the messages of one partition of a batch, folded into what a store writes down about the partition:
 * the first that failed, and the longest delay (OBX-RETRY-3).
 *
 * @param firstFailed the index of the first message that failed, or -1
 * @param reason why it failed, or empty
 * @param delay the longest of those asked for, or zero
 * @param settledPrefix how many from the first on are settled without a gap
 */
public record PartitionOutcome(int firstFailed, String reason, Duration delay, int settledPrefix) {
    /**
     * Folds them.
     *
     * @param first the index of the partition's first message in the batch
     * @param size how many it has there
     */
    public static PartitionOutcome of(BatchOutcomes outcomes, int first, int size) {
        return of(size, i -> outcomes.at(first + i));
    }

    /**
     * Folds them.
     *
     * @param size how many messages there are
     * @param outcomes by index; null for a message that has none
     */
    public static PartitionOutcome of(int size, IntFunction<@Nullable Outcome> outcomes) {
        int firstFailed = -1;
        String reason = "";
        Duration delay = Duration.ZERO;
        int prefix = 0;
        for (int i = 0; i < size; i++) {
            @Nullable Outcome outcome = outcomes.apply(i);
            if (outcome instanceof Outcome.Failed failed) {
                if (firstFailed < 0) {
                    firstFailed = i;
                    reason = failed.reason();
                }
                delay = failed.retryAfter().compareTo(delay) > 0 ? failed.retryAfter() : delay;
            } else if (isSettled(outcome) && prefix == i) {
                prefix++;
            }
        }
        return new PartitionOutcome(firstFailed, reason, delay, prefix);
    }

    /** Whether any message failed. */
    public boolean isFailing() {
        return firstFailed >= 0;
    }

    /** The delay in milliseconds, rounded up: a message is not tried before it has passed (OBX-RETRY-2). */
    public long delayMillis() {
        return delay.plusNanos(999_999).toMillis();
    }

    /** Whether a message with this outcome has left the partition, whatever became of it. */
    public static boolean isSettled(@Nullable Outcome outcome) {
        return outcome != null && !(outcome instanceof Outcome.Failed);
    }
}
