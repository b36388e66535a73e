package dev.outbox.tck.memory;

import dev.outbox.OutgoingMessage;
import dev.outbox.PersistFunc;
import dev.outbox.store.memory.internal.Transaction;
import java.util.List;

/** A transaction that passes everything on, to be wrong in one place. */
class PassingTransaction implements Transaction {
    private final Transaction real;

    PassingTransaction(Transaction real) {
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
    public void commit() {
        real.commit();
    }

    @Override
    public void rollback() {
        real.rollback();
    }

    @Override
    public void close() {
        real.close();
    }
}
