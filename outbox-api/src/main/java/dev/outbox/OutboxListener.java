package dev.outbox;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Sees outcomes as they happen: what metrics and traces are built from. Given once, to {@link Topic.Builder#listener},
 * it hears of every message when it is written and when it is relayed. A relay tells it on the thread that runs the
 * round, which may be another than the publisher's. It does not tell of a failure because the broker is away, nor of
 * one after the store had failed in the same round. Every method does nothing unless it is overridden, must be safe for
 * use by several threads, and should be quick. What it throws is logged and changes nothing.
 */
public interface OutboxListener {
    /** A message was written into the outbox; its transaction has not committed yet, and may never. */
    default void persisted(Persisted event) {}

    /** A relay asked for messages and got some or none. */
    default void checkedOut(CheckedOut event) {}

    /** The broker took a message. It is settled when its batch is: see {@link #settled}. */
    default void published(Published event) {}

    /** A message failed and will be tried again. */
    default void failed(Failed event) {}

    /** A message failed and was given up. */
    default void deadLettered(DeadLettered event) {}

    /** A batch was closed, and its outcomes have taken effect. */
    default void settled(Settled event) {}

    /** The store failed a relay. After a failed mark or close, what was published may be published again. */
    default void storeFailed(StoreFailed event) {}

    /** A relay has set a partition aside, because what became of a message of it cannot be written into the store. */
    default void setAside(SetAside event) {}

    /**
     * A relay leaves a topic out for a while, because its broker seems to be away: on the thread of a round, or, if a
     * publisher does not return, on a thread of the relay's own.
     */
    default void leftOut(LeftOut event) {}

    /**
     * A message is in another partition than its key belongs to by the number of partitions that the relay's topic has.
     * Told once for each topic and relay: another process says another number, or the number was changed.
     */
    default void misplaced(Misplaced event) {}

    /**
     * A message written by {@link Publisher#publish} or {@link Publisher#publishAll}.
     *
     * @param duration how long writing took, together with the others of the same call
     */
    record Persisted(OutgoingMessage message, String id, Duration duration) {}

    /**
     * A finished {@link Store#checkout}.
     *
     * @param messages how many it returned, maybe 0
     * @param limit how many were asked for
     * @param duration how long it took
     */
    record CheckedOut(int messages, int limit, Duration duration) {}

    /**
     * A message the broker took.
     *
     * @param publishId what the broker called it, if it said
     * @param attempt which attempt this was, from 1
     * @param duration from the start of decoding until the round has taken in the broker's answer
     */
    record Published(PersistedMessage message, @Nullable String publishId, int attempt, Duration duration) {}

    /**
     * A message that will be tried again.
     *
     * @param attempt which attempt this was, from 1
     * @param cause what the codec or the publisher threw
     * @param reason the cause as it is written into the store
     * @param retryAfter how long its partition is held
     * @param duration from the start of decoding to the failure
     */
    record Failed(
            PersistedMessage message,
            int attempt,
            Throwable cause,
            String reason,
            Duration retryAfter,
            Duration duration) {}

    /**
     * A message that was given up.
     *
     * @param attempt which attempt this was, from 1
     * @param cause what the codec or the publisher threw
     * @param reason the cause as it is written into the store
     * @param duration from the start of decoding to the failure
     */
    record DeadLettered(PersistedMessage message, int attempt, Throwable cause, String reason, Duration duration) {}

    /**
     * A batch that was closed.
     *
     * @param published how many of its messages were published
     * @param failed how many will be tried again
     * @param deadLettered how many were given up
     * @param released how many had no outcome and come again
     * @param duration how long closing took
     */
    record Settled(int published, int failed, int deadLettered, int released, Duration duration) {}

    /**
     * A failure of the store.
     *
     * @param step what the relay was doing
     * @param duration how long the step took before it failed
     */
    record StoreFailed(Step step, OutboxException error, Duration duration) {}

    /**
     * A partition whose outcomes cannot be settled while those of others can.
     *
     * @param pause when it is tried again first; later pauses grow, and are not told
     * @param error what the store said
     */
    record SetAside(String topic, int partition, Duration pause, OutboxException error) {}

    /**
     * A topic of which nothing is asked for now.
     *
     * @param pause when it is tried again first, with one message; later pauses grow, and are not told
     * @param cause what its publisher threw last, or that a publisher does not return
     */
    record LeftOut(String topic, Duration pause, Throwable cause) {}

    /**
     * A message that is in another partition than its key belongs to.
     *
     * @param partitions how many partitions the relay's topic has
     */
    record Misplaced(PersistedMessage message, int partitions) {}

    /** What a relay does with a store. */
    enum Step {
        /** {@link Store#checkout}. */
        CHECKOUT,
        /** Marking outcomes on a batch. */
        MARK,
        /** {@link MessageBatch#close}. */
        CLOSE
    }
}
