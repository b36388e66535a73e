package dev.outbox.tck.memory;

import dev.outbox.OutgoingMessage;
import dev.outbox.PersistFunc;
import dev.outbox.StoreException;
import dev.outbox.tck.WriteTransaction;
import java.util.List;

/** A transaction that passes everything on, to be wrong in one place. */
class PassingTransaction implements WriteTransaction {
    private final WriteTransaction real;

    PassingTransaction(WriteTransaction real) {
        this.real = real;
    }

    String persist(OutgoingMessage message) {
        return real.persistFunc().persist(message);
    }

    List<String> persistAll(List<OutgoingMessage> messages) {
        return messages.stream().map(this::persist).toList();
    }

    @Override
    public PersistFunc persistFunc() {
        return new PersistFunc() {
            @Override
            public String persist(OutgoingMessage message) {
                return PassingTransaction.this.persist(message);
            }

            @Override
            public List<String> persistAll(List<OutgoingMessage> messages) {
                return PassingTransaction.this.persistAll(messages);
            }
        };
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
