package dev.outbox;

import java.util.ArrayList;
import java.util.List;

/**
 * Where an application publishes messages: a {@link Topic}, which hands them to the broker at once, or a topic bound to a
 * transaction by {@link Outbox#bind}, which hands them over after the commit. Code that publishes need not know which.
 *
 * @param <T> type of the messages
 */
@FunctionalInterface
public interface Publisher<T> {
    /**
     * Publishes a message.
     *
     * @return an id: of a bound topic, the id the message was persisted under; of a topic itself, what the broker called
     *     it
     * @throws MessageRejectedException if the message cannot be encoded or is not acceptable
     */
    String publish(T message);

    /**
     * Publishes messages as {@link #publish} would one after the other, in the order given. A bound topic writes them with as
     * few round trips as its backend can, and writes none if one of them cannot be encoded; a topic itself hands one after
     * the other to the broker, and those before one that fails have been published.
     *
     * @return the id of each message, in the same order; for an empty list none
     * @throws MessageRejectedException if one of them cannot be encoded or is not acceptable
     */
    default List<String> publishAll(List<? extends T> messages) {
        List<String> ids = new ArrayList<>(messages.size());
        for (T message : messages) {
            ids.add(publish(message));
        }
        return ids;
    }
}
