package dev.outbox.store.support;

import dev.outbox.DeadLetter;
import dev.outbox.Holders.Holder;
import dev.outbox.Operations.Backlog;
import dev.outbox.Operations.DeadLetterTopic;
import dev.outbox.Operations.FailingPartition;
import dev.outbox.PersistedMessage;
import java.util.Collection;
import java.util.List;
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
    record Placed(Place place, PersistedMessage message) {}

    /**
     * Messages of a topic that wait, ordered by partition and position. They are fewer than the limit only if there are
     * no others.
     *
     * @param after they begin after this place
     * @param last the last partition that is wanted
     */
    List<Placed> pending(String topic, Place after, int last, int limit);

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
