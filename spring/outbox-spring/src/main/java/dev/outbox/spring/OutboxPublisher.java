package dev.outbox.spring;

import dev.outbox.TransactionalPublisher;

/**
 * Publishes messages of one topic into the outbox, in the transaction of Spring that the calling thread is in. Made by
 * {@link SpringOutbox#publisher} for the whole life of an application, and safe for use by several threads.
 *
 * <p>A component that asks for this type can be given neither a topic nor a client of a broker by mistake.
 *
 * <p>{@link #publish} and {@link #publishAll} throw {@link dev.outbox.MisuseException}, and write nothing, if there is
 * no transaction on the thread, if it is read-only, if it has ended, as in a listener that runs after the commit, if
 * its commit has begun, as in an entity listener during the flush, or if it is not a transaction of the outbox's
 * database (OBX-TX-1).
 *
 * @param <T> type of the messages
 */
public interface OutboxPublisher<T> extends TransactionalPublisher<T> {}
