package dev.outbox;

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
    private static final OutboxListener NOBODY = new OutboxListener() {};

    private Outbox() {}

    /** A publisher that writes messages into the outbox, in the transaction of the persist function. */
    public static <T> TransactionalPublisher<T> bind(Topic<T> topic, PersistFunc persist) {
        return bind(topic, persist, NOBODY);
    }

    /**
     * The same, telling a listener of every message {@linkplain OutboxListener#persisted persisted}. Of what becomes of them
     * afterwards {@link Relay.Builder#listener} tells, mostly in another process: for complete metrics give the listener to both.
     */
    public static <T> TransactionalPublisher<T> bind(Topic<T> topic, PersistFunc persist, OutboxListener listener) {
        return new BoundTopic<>(topic, persist, Listeners.of(listener));
    }
}
