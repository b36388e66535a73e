package dev.outbox.store.support;

import dev.outbox.DeadLetter;
import dev.outbox.Operations.Backlog;
import dev.outbox.Operations.DeadLetterTopic;
import dev.outbox.Operations.FailingPartition;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What a backend answers to an operator by itself. The methods are those of {@link dev.outbox.Operations}, of an open
 * store. {@link GuardedStore} has the others, which are made of checkouts.
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
}
