package dev.outbox.tck.memory;

import dev.outbox.OutgoingMessage;
import dev.outbox.PersistFunc;
import dev.outbox.StoreException;
import dev.outbox.tck.WriteTransaction;

/** A transaction that passes everything on, to be wrong in one place. */
class PassingTransaction implements WriteTransaction {
    private final WriteTransaction real;

    PassingTransaction(WriteTransaction real) {
        this.real = real;
    }

    String persist(OutgoingMessage message) {
        return real.persistFunc().persist(message);
    }

    @Override
    public PersistFunc persistFunc() {
        return this::persist;
    }

    @Override
    public void commit() throws Exception {
        real.commit();
    }

    @Override
    public void rollback() throws Exception {
        real.rollback();
    }

    @Override
    public void close() {
        try {
            real.close();
        } catch (Exception e) {
            throw new StoreException("not closed", e);
        }
    }
}
