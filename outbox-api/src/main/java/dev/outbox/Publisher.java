package dev.outbox;

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
}
