package dev.outbox;

import java.time.Duration;
import java.time.Instant;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What an operator needs at three in the morning: what is stuck, why, and how to release it. Implemented by stores with
 * {@link Capability#OPERATIONS}. Safe for use by several threads and while relays run; every method throws
 * {@link StoreException} if the store failed. An id may be any text: one that is no message's finds nothing.
 */
public interface Operations {
    /**
     * What waits in a partition. Asking for it stays cheap however much that is, so large backlogs are not counted to
     * the end.
     *
     * @param pending how many messages, those of open batches included, 1 or more; exact below {@link #EXACT_UP_TO},
     *     and from there on a lower bound
     * @param oldestAge how long ago the first of them, which is the next to be published, was persisted, by the store's
     *     clock, which for a redriven one is when it was persisted first; not negative
     */
    record Backlog(String topic, int partition, long pending, Duration oldestAge) {
        /**
         * Every store counts the messages of a partition up to this number; from it on there may be more than it says.
         */
        public static final int EXACT_UP_TO = 10_000;

        /** Whether {@code pending} is the true number; otherwise the true number is that or more. */
        public boolean isExact() {
            return pending < EXACT_UP_TO;
        }
    }

    /**
     * A partition whose head has failed and not been published since.
     *
     * @param messageId id of the message that failed
     * @param attempts how often it has failed, 1 or more
     * @param reason why, the last time
     * @param nextAttempt when the partition is, or became, free to be tried again, by the store's clock
     */
    record FailingPartition(
            String topic, int partition, String messageId, int attempts, String reason, Instant nextAttempt) {}

    /**
     * What was given up of a topic. As with {@link Backlog}, asking for it stays cheap however much that is.
     *
     * @param deadLetters how many there are, 1 or more; exact below {@link Backlog#EXACT_UP_TO}, and from there on at
     *     least this many
     * @param firstDiedAt when the first of them was given up, by the store's clock
     * @param lastDiedAt when the last of them was given up, by the store's clock
     */
    record DeadLetterTopic(String topic, long deadLetters, Instant firstDiedAt, Instant lastDiedAt) {
        /** Whether {@code deadLetters} is the true number; otherwise the true number is that or more. */
        public boolean isExact() {
            return deadLetters < Backlog.EXACT_UP_TO;
        }
    }

    /**
     * The operations of a store.
     *
     * @throws ConfigurationException if it does without {@link Capability#OPERATIONS}, with its reason
     */
    static Operations of(Store store) {
        return Extension.of(store, Capability.OPERATIONS, Operations.class);
    }

    /** Every partition with messages in it, ordered by topic and partition (OBX-OPS-1). */
    List<Backlog> backlog();

    /** Every partition whose head keeps failing, ordered by topic and partition (OBX-OPS-2). */
    List<FailingPartition> failingPartitions();

    /**
     * Ends the delay of a failing partition, so that it is tried again immediately; attempts stay counted (OBX-OPS-3).
     *
     * @return whether there was a failing partition of that name
     */
    boolean retryNow(String topic, int partition);

    /**
     * Does the same for every failing partition of a topic, as after its broker has come back (OBX-OPS-3). A store may
     * do many of them in parts.
     *
     * @return how many failing partitions there were
     */
    int retryNow(String topic);

    /**
     * Deletes pending messages of a topic for good, as of a topic that no relay will ever serve. The oldest of each
     * partition come first (OBX-OPS-5).
     *
     * <p>It takes messages as a checkout does. So it leaves the partitions of open batches alone, and no relay has a
     * message that it deletes. First it ends the delays of the topic, as {@link #retryNow(String)} does. A message of a
     * transaction that commits later stays, and so does a message that cannot be read, with those after it. A store
     * works in parts until it finds none or has reached the limit, so while writers keep up with it, only the limit
     * ends it. If this throws, some messages may be deleted already: call it again.
     *
     * @param limit the most messages to delete, at least 1
     * @return how many were deleted; fewer than the limit if it found no other that is free
     * @throws MisuseException if the limit is below 1, or the store is closed
     */
    int removePending(String topic, int limit);

    /**
     * Moves pending messages of a topic to another topic, as of a topic that was renamed. It takes them as {@link
     * #removePending} does. Each message is in one of the two topics at any time (OBX-OPS-6).
     *
     * <p>A message keeps its id, key, headers and payload. Its attempts are counted from 0. It comes at the end of its
     * new partition, in the order of the old one. A message with a key goes to the partition of the key. A message
     * without a key goes to the partition of the same number, modulo the count. Messages that were in the new topic
     * before come before it. If that order matters, move the messages before others are written there.
     *
     * <p>A relay may have published a message and lost its batch before it could close it. Such a message waits, so it
     * is moved and published again.
     *
     * @param toTopic another topic
     * @param toPartitions how many partitions that topic has, 1 to 10000, see {@link Topic#partitions}
     * @param limit the most messages to move, at least 1
     * @return how many were moved; fewer than the limit if it found no other that is free
     * @throws MessageRejectedException if {@code toTopic} is no topic name
     * @throws MisuseException if both topics are the same, a number is out of range, or the store cannot move a message
     *     to its new partition in one step, as a spread outbox on Redis. What was moved before stays moved. Of the
     *     part that has such a message, nothing is moved
     */
    int movePending(String topic, String toTopic, int toPartitions, int limit);

    /** Every topic with dead letters, ordered by name (OBX-OPS-4). */
    List<DeadLetterTopic> deadLetterTopics();

    /**
     * Dead letters of a topic, those that died first coming first (OBX-DEAD-2).
     *
     * @param afterId start after the dead letter of this id, such as the last of a page; null for the first page. If
     *     it is no longer there, {@link MisuseException}
     * @param limit the most to return, at least 1
     */
    List<DeadLetter> deadLetters(String topic, @Nullable String afterId, int limit);

    /** One dead letter by the id of its message, empty if there is none (OBX-DEAD-2). */
    Optional<DeadLetter> deadLetter(String id);

    /**
     * Puts dead letters back at the end of their partitions, in the order given, with the same ids and no attempts
     * counted (OBX-DEAD-3). Each dead letter is put back once, or it stays. A store does many of them in parts, in the
     * order given, so that none keeps the server for long. If this throws, some may be put back already: call it again
     * with the same ids.
     *
     * @return how many there were; ids without a dead letter are passed over
     */
    int redrive(Collection<String> ids);

    /**
     * Deletes dead letters for good (OBX-DEAD-4). A store does many of them in parts. If this throws, some may be
     * deleted already: call it again with the same ids.
     *
     * @return how many there were; ids without a dead letter are passed over
     */
    int discard(Collection<String> ids);
}
