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

    /**
     * A publisher with the same interface as the topic's own, which writes messages into the outbox with the transaction
     * behind the persist function instead of handing them to the broker. Lives as long as that transaction, and is used
     * by one thread at a time as that is.
     *
     * @return its {@code publish} returns the id the message was persisted under, and throws what {@link
     *     PersistFunc#persist} throws; its {@code publishAll} does the same by {@link PersistFunc#persistAll}
     */
    public static <T> Publisher<T> bind(Topic<T> topic, PersistFunc persist) {
        return bind(topic, persist, NOBODY);
    }

    /**
     * The same, telling a listener of every message {@linkplain OutboxListener#persisted persisted}. Of what becomes of them
     * afterwards {@link Relay.Builder#listener} tells, mostly in another process: for complete metrics give the listener to both.
     */
    public static <T> Publisher<T> bind(Topic<T> topic, PersistFunc persist, OutboxListener listener) {
        return new Bound<>(topic, persist, Listeners.of(listener));
    }
}
