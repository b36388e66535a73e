package dev.outbox;

/**
 * A publisher that {@link Outbox#bind} has bound to a transaction: what is published is written into the outbox, and
 * reaches the broker after the commit, or never if there is none. A component that asks for this type cannot be given
 * {@link Topic#direct} by mistake; one that asks for a {@link Publisher} takes either.
 *
 * <p>Lives as long as the transaction of its {@link PersistFunc}, and is used by one thread at a time as that is.
 * {@link #publish} returns the id the message was persisted under, and throws what {@link PersistFunc#persist} throws;
 * {@link #publishAll} does the same by {@link PersistFunc#persistAll}.
 *
 * @param <T> type of the messages
 */
public interface TransactionalPublisher<T> extends Publisher<T> {}
