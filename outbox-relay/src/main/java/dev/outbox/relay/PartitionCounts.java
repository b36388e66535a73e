package dev.outbox.relay;

import static dev.outbox.relay.RelayLog.LOG;

import dev.outbox.OutboxListener;
import dev.outbox.Partitioner;
import dev.outbox.PersistedMessage;
import dev.outbox.Topic;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Notices that another process spreads a topic over another number of partitions, which takes the order of its keys
 * away. Every message with a key shows it: its key and the relay's number say where it must be. So nothing is stored
 * and no process asks another. A message that was written before the number was changed shows the same, and cannot
 * be told apart.
 *
 * <p>Says so once for each topic. Safe for use by several threads.
 */
final class PartitionCounts {
    private final Set<String> misplaced = ConcurrentHashMap.newKeySet();

    void look(Topic<?> topic, PersistedMessage message, Listeners listeners) {
        String key = message.key();
        if (key == null // it has no order to lose
                || misplaced.contains(topic.name())
                || message.partition() == Partitioner.partitionOf(key, topic.partitions())
                || !misplaced.add(topic.name())) {
            return;
        }
        LOG.warn(
                "[OUTBOX-110] Message {} of topic {} is in partition {}, where no message of its key belongs if the"
                        + " topic has {} partitions, as this relay says. If another process says another number, equal"
                        + " keys lose their order: give all processes the same one. A message from before a change of"
                        + " the number is told so, too",
                message.id(),
                topic.name(),
                message.partition(),
                topic.partitions());
        listeners.misplaced(new OutboxListener.Misplaced(message, topic.partitions()));
    }

    /** The topics that it was said of, by name. */
    List<String> misplaced() {
        return misplaced.stream().sorted().toList();
    }
}
