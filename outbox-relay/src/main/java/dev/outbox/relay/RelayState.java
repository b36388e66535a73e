package dev.outbox.relay;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How a {@link Relay} is doing, at one moment. Times are by the clock of this process.
 *
 * <p>A health check may ask whether {@code running} is true, {@code workersAlive} equals {@code workers}, and {@code
 * lastGoodRound} is no longer ago than {@code longestQuiet}. Before the first good round it takes {@code servingSince}
 * instead. A relay without topics does no rounds, and {@code servingSince} is null.
 *
 * @param running whether it was started and is not closed; false for a relay that only {@link Relay#processMessages}
 *     works
 * @param servingSince since when it has rounds to do: when {@link Relay#start} started it or its first topic was
 *     registered, whichever came later; null before, and the same after it is closed
 * @param workers how many threads {@link Relay#start} starts
 * @param workersAlive how many of them there are; fewer while the system has no thread for one
 * @param lastGoodRound when a round last ended without an error of the store, also one that found nothing; null before
 *     the first
 * @param lastTrouble what went wrong last, though it may be over; null if nothing has
 * @param closesFailSince since when no batch could be closed: meanwhile hardly anything is published, because it could
 *     not be settled; null if the last one could be
 * @param unsettled how many messages were published, or failed, without this having been written into the store; they
 *     are settled, and not published once more, when they come again
 * @param setAside partitions whose outcomes the store refuses while it takes those of others
 * @param leftOut topics whose brokers seem to be away
 * @param misplaced topics of which a message was in another partition than its key belongs to, since the relay was
 *     made: another process says another number of partitions, or the number was changed
 * @param unserved topics that this relay does not serve, and of which a message was first in its partition at the last
 *     two looks; looks are 20 seconds apart or more. Empty if the store does without
 *     {@link dev.outbox.Capability#OPERATIONS}
 * @param longestPause how long the pause between two rounds can be: {@link Relay.Builder#maxPollInterval}
 * @param longestQuiet how far apart two good rounds can be though all is well: the sum of that,
 *     {@link Relay.Builder#maxBatchTime}, the longest {@link dev.outbox.Topic#publishTimeout} of its topics, and a
 *     minute. While the brokers of all topics are away, only the tries to see whether one is back are rounds, and they
 *     are up to a minute apart
 */
public record RelayState(
        boolean running,
        @Nullable Instant servingSince,
        int workers,
        int workersAlive,
        @Nullable Instant lastGoodRound,
        @Nullable Trouble lastTrouble,
        @Nullable Instant closesFailSince,
        int unsettled,
        List<SetAside> setAside,
        List<LeftOut> leftOut,
        List<String> misplaced,
        List<String> unserved,
        Duration longestPause,
        Duration longestQuiet) {
    /**
     * A partition that is tried alone, so that it does not keep others from being settled.
     *
     * @param until when it is tried next
     */
    public record SetAside(String topic, int partition, Instant until) {}

    /**
     * A topic of which nothing is asked for now.
     *
     * @param until when it is tried next, with one message
     * @param reason what its publisher failed with last, or that one does not return
     */
    public record LeftOut(String topic, Instant until, String reason) {}

    /**
     * What went wrong in the relay itself or in its store; failures of messages are none.
     *
     * @param at when
     * @param text what, in one text with its causes
     * @param failure the same as it was thrown
     */
    public record Trouble(Instant at, String text, Throwable failure) {}
}
