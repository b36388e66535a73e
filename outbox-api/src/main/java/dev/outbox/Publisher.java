package dev.outbox;

import java.util.ArrayList;
import java.util.List;

/**
 * Where an application publishes messages: a {@link TransactionalPublisher}, whose messages reach the broker after the
 * commit, or {@link Topic#direct}, which hands them to the broker now. Code that publishes need not know which it has.
 *
 * @param <T> type of the messages
 */
@FunctionalInterface
public interface Publisher<T> {
    /**
     * Publishes a message.
     *
     * @return an id: that under which the message was persisted; from {@link Topic#direct}, what the broker called it
     * @throws MessageRejectedException if the message cannot be encoded or is not acceptable
     */
    String publish(T message);

    /**
     * Publishes messages as {@link #publish} would one after the other, in the order given. A {@link
     * TransactionalPublisher} writes them with as few round trips as its backend can, and writes none if one of them
     * cannot be encoded; {@link Topic#direct} hands one after the other to the broker, and those before one that fails
     * have been published.
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
