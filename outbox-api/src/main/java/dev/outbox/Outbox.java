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
        return new BoundTopic<>(topic, persist, List.of());
    }

    /**
     * The same, telling a listener of every message {@linkplain OutboxListener#persisted persisted}. A relay tells what
     * becomes of them, mostly in another process: for complete metrics give the listener to both.
     */
    public static <T> TransactionalPublisher<T> bind(Topic<T> topic, PersistFunc persist, OutboxListener listener) {
        return new BoundTopic<>(topic, persist, List.of(listener));
    }
}
