package dev.outbox.store.memory;

import dev.outbox.PersistFunc;
import dev.outbox.store.memory.internal.Transaction;

/**
 * A transaction on a {@link MemoryOutbox}. It stands for that of a database in a test, and has nothing in it but
 * messages. Used by one thread at a time. After its end, writing, committing and rolling back throw a
 * {@link dev.outbox.MisuseException}.
 */
public final class MemoryTransaction implements AutoCloseable {
    private final Transaction transaction;

    MemoryTransaction(Transaction transaction) {
        this.transaction = transaction;
    }

    PersistFunc persistFunc() {
        return transaction.persistFunc();
    }

    /** Commits: from now on relays see what was written. */
    public void commit() {
        transaction.commit();
    }

    /** Rolls back: nobody ever sees what was written. */
    public void rollback() {
        transaction.rollback();
    }

    /** Rolls back if the transaction is still open. Closing twice does nothing. */
    @Override
    public void close() {
        transaction.close();
    }
}
