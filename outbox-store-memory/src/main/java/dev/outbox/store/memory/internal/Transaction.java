package dev.outbox.store.memory.internal;

import dev.outbox.PersistFunc;

/** What is written into an outbox in memory and seen together, or not at all. Used by one thread at a time. */
public interface Transaction extends AutoCloseable {
    /** Writes messages with this transaction. */
    PersistFunc persistFunc();

    /** Lets others see what was written. */
    void commit();

    /** Forgets what was written. */
    void rollback();

    /** Forgets what was written, if the transaction is still open. */
    @Override
    void close();
}
