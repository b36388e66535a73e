package dev.outbox;

import java.util.List;

/**
 * The start of everything: binds a topic to a transaction.
 *
 * <pre>{@code
 * dsl.transaction(tx -> {
 *     insertOrder(tx, order);
 *     Outbox.bind(orders, JooqOutbox.persist(tx)).publish(order);
 * });
 * }</pre>
 */
public final class Outbox {
    private Outbox() {}

    /** A publisher that writes messages into the outbox, in the transaction of the persist function. */
    public static <T> TransactionalPublisher<T> bind(Topic<T> topic, PersistFunc persist) {
        return new BoundTopic<>(topic, persist, topic.audience());
    }

    /**
     * The same, telling one more listener of every message {@linkplain OutboxListener#persisted persisted} by this
     * publisher. One that is told of all messages, and of what becomes of them, is given to {@link
     * Topic.Builder#listener}.
     */
    public static <T> TransactionalPublisher<T> bind(Topic<T> topic, PersistFunc persist, OutboxListener listener) {
        return new BoundTopic<>(topic, persist, topic.audience().with(List.of(listener)));
    }
}
