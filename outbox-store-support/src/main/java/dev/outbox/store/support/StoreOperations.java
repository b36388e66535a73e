package dev.outbox.store.support;

import dev.outbox.DeadLetter;
import dev.outbox.Holders.Holder;
import dev.outbox.Operations.Backlog;
import dev.outbox.Operations.DeadLetterTopic;
import dev.outbox.Operations.FailingPartition;
import dev.outbox.PersistedMessage;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedSet;
import org.jspecify.annotations.Nullable;

/**
 * What a backend answers to an operator by itself. The methods are those of {@link dev.outbox.Operations}, {@link
 * dev.outbox.Browsing}, {@link dev.outbox.Finding} and {@link dev.outbox.Holders}, of an open store with the
 * capability. {@link GuardedStore} has the others, which are made of checkouts.
 */
public interface StoreOperations {
    /** All that waits. */
    List<Backlog> backlog();

    /** All that fails. */
    List<FailingPartition> failingPartitions();

    /** Ends the delay of one partition. */
    boolean retryNow(String topic, int partition);

    /** Ends the delays of a topic. */
    int retryNow(String topic);

    /** All topics with dead letters. */
    List<DeadLetterTopic> deadLetterTopics();

    /** A page of dead letters. */
    List<DeadLetter> deadLetters(String topic, @Nullable String afterId, int limit);

    /** One dead letter. */
    Optional<DeadLetter> deadLetter(String id);

    /** Puts dead letters back; of different ids, at most {@link GuardedStore#AT_A_TIME}. */
    int redrive(Collection<String> ids);

    /** Deletes dead letters; of different ids, at most {@link GuardedStore#AT_A_TIME}. */
    int discard(Collection<String> ids);

    /** A message and its place. */
    record Placed(Place place, PersistedMessage message) {
        /** What a message without a payload takes, about. */
        private static final int OVERHEAD = 200;

        /** What it takes in memory, about. */
        public long bytes() {
            long bytes = (long) OVERHEAD + message.payload().length;
            String key = message.key();
            bytes += key == null ? 0 : key.length();
            for (Map.Entry<String, String> header : message.headers().entrySet()) {
                bytes += header.getKey().length() + header.getValue().length();
            }
            return bytes;
        }
    }

    /**
     * Some messages in their order.
     *
     * @param next where the next portion begins; null if there are no others
     */
    record Portion(List<Placed> messages, @Nullable Place next) {}

    /** Reads the messages of one page, portion by portion. Confined to one thread. */
    @FunctionalInterface
    interface Listing {
        /**
         * The messages after a place, ordered by partition and position.
         *
         * @param limit the most messages, at least 1. They may be fewer, or none, although there are others
         * @param bytes the portion ends with the message with which it has this number of bytes. It may end before
         *     that, but not before its first message. No more than a small multiple is in memory at any time
         */
        Portion next(Place after, int limit, long bytes);
    }

    /**
     * Messages of a topic that wait.
     *
     * @param first the first partition that is wanted
     * @param last the last one
     */
    Listing listing(String topic, int first, int last);

    /**
     * Those of some partitions of a topic that fail. Others of the topic may be among them.
     *
     * @param partitions at least one
     */
    List<FailingPartition> failingPartitions(String topic, SortedSet<Integer> partitions);

    /** One message that waits. */
    Optional<PersistedMessage> pending(String id);

    /** All partitions that open batches hold. */
    List<Holder> holders();
}
