package dev.outbox;

import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * How a {@link Relay} is doing, at one moment. Times are by the clock of this process.
 *
 * <p>A health check may ask whether {@code running} is true, {@code workersAlive} equals {@code workers}, and {@code
 * lastGoodRound} is younger than the longest time that publishers may take.
 *
 * @param running whether it was started and is not closed; false for a relay that only {@link Relay#processMessages} works
 * @param workers how many threads {@link Relay#start} starts
 * @param workersAlive how many of them there are; fewer while the system has no thread for one
 * @param lastGoodRound when a round last ended without an error of the store, also one that found nothing; null before
 * @param lastTrouble what went wrong last, though it may be over; null if nothing has
 */
public record RelayState(
        boolean running,
        int workers,
        int workersAlive,
        @Nullable Instant lastGoodRound,
        @Nullable Trouble lastTrouble) {
    /**
     * What went wrong in the relay itself or in its store; failures of messages are none.
     *
     * @param at when
     * @param text what, in one text with its causes
     * @param failure the same as it was thrown
     */
    public record Trouble(Instant at, String text, Throwable failure) {}
}
