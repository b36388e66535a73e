package dev.outbox.tck.memory;

import dev.outbox.PersistFunc;
import dev.outbox.store.memory.internal.Transaction;
import dev.outbox.tck.WriteTransaction;

/** A transaction in memory, as the suite has it. */
public record HandleOf(Transaction transaction) implements WriteTransaction {
    @Override
    public PersistFunc persistFunc() {
        return transaction.persistFunc();
    }

    @Override
    public void commit() {
        transaction.commit();
    }

    @Override
    public void rollback() {
        transaction.rollback();
    }

    @Override
    public void close() {
        transaction.close();
    }
}
