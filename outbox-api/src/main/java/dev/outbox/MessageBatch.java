package dev.outbox;

import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Messages that were checked out of a {@link Store} and are held exclusively until {@link #close}. Every message gets
 * at most one outcome. Outcomes are remembered by the marks and take effect together, atomically, at close; a crash
 * before it leaves everything as it was (OBX-CLOSE-1, OBX-CLOSE-2). Messages without an outcome are released and keep
 * their place (OBX-ORDER-2).
 *
 * <p>Used by one thread at a time.
 */
public interface MessageBatch extends AutoCloseable {
    /**
     * The messages, those of one partition in the order of their positions; unmodifiable, always the same list. Its
     * objects are of this batch alone: a message that comes again is a new object (OBX-CLOSE-4).
     */
    List<PersistedMessage> messages();

    /**
     * Whether the batch is open and still holds its partitions. Cheap, as a rule: the relay asks before every message,
     * so that a process that was paused beyond its lease, or cut off, does not go on publishing. A store may ask its
     * backend where that has not answered for some seconds, and wait for some seconds more; that a hold is lost is said
     * no later than ten seconds after others can get its messages (OBX-FENCE-3). Once false, always false.
     */
    boolean isHeld();

    /**
     * The message was published: it is never handed out again once the batch is closed.
     *
     * @param publishId what the broker called it, if it said so; a store may keep it
     * @throws MisuseException after close, for a message of another batch, or if it has an outcome already
     */
    void markPublished(PersistedMessage message, @Nullable String publishId);

    /**
     * Publishing failed: at close one more attempt is counted, durably, and the partition is held until the delay has
     * passed, so that nothing after the message overtakes it (OBX-RETRY-1, OBX-RETRY-2). If several messages of one
     * partition failed, the longest delay counts.
     *
     * @param reason why, for operators; a store may shorten it to 1000 characters and replace what it cannot keep
     * @param retryAfter not negative; zero lets the partition be tried again immediately
     * @throws MisuseException after close, for a message of another batch, or if it has an outcome already
     */
    void markFailed(PersistedMessage message, String reason, Duration retryAfter);

    /**
     * The message is given up: at close one more attempt is counted and it moves to the dead letters, and its partition
     * goes on without it (OBX-DEAD-1).
     *
     * @param reason as for {@link #markFailed}
     * @throws MisuseException after close, for a message of another batch, or if it has an outcome already
     */
    void deadLetter(PersistedMessage message, String reason);

    /**
     * Applies all outcomes atomically and releases the hold. Closing again does nothing, also after a failure
     * (OBX-CLOSE-3).
     *
     * @throws HoldLostException if the hold was lost before; then no outcome took effect
     * @throws StoreException if the store failed; then either all outcomes took effect or none. The pages of stores
     *     name exceptions to that
     */
    @Override
    void close();
}
