package dev.outbox.tck.memory;

import dev.outbox.OutgoingMessage;
import dev.outbox.PersistFunc;
import dev.outbox.tck.WriteTransaction;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.locks.LockSupport;

/** Stores that do not write messages in the transaction that they were given. */
@SuppressWarnings("try") // what a handle throws at close may be an InterruptedException
final class BrokenWriting {
    static final List<Broken> ALL = List.of(
            Broken.writing(
                            "writes messages in a transaction of their own before the commit",
                            (transaction, another) -> new Staging(transaction, another, true))
                    .testedFor(Broken.Also.THREADS)
                    .breaks("OBX-TX-1"),
            Broken.writing(
                            "writes messages in a transaction of their own after the commit",
                            (transaction, another) -> new Staging(transaction, another, false))
                    .testedFor(Broken.Also.KILLS)
                    .breaks("OBX-TX-1"),
            Broken.writing("keeps what a savepoint undid", (transaction, another) -> new NoUndo(transaction))
                    .breaks("OBX-TX-6"),
            Broken.outbox("has one writer and does not say so", () -> new OneWriter(false))
                    .breaks("OBX-BROWSE-2", "OBX-ORDER-4", "OBX-TX-1", "OBX-TX-2", "OBX-TX-4", "OBX-TX-7"));

    private BrokenWriting() {}

    /** Rolls back to a savepoint by doing nothing. */
    private static final class NoUndo extends Passing {
        NoUndo(WriteTransaction transaction) {
            super(transaction);
        }

        @Override
        public Optional<Step> savepoint() {
            return Optional.of(() -> {});
        }
    }

    /** Passes everything on. */
    private static class Passing implements WriteTransaction {
        final WriteTransaction transaction;

        Passing(WriteTransaction transaction) {
            this.transaction = transaction;
        }

        @Override
        public PersistFunc persistFunc() {
            return transaction.persistFunc();
        }

        @Override
        public Rows rows() {
            return transaction.rows();
        }

        @Override
        public void commit() throws Exception {
            transaction.commit();
        }

        @Override
        public void rollback() throws Exception {
            transaction.rollback();
        }

        @Override
        public void close() throws Exception {
            transaction.close();
        }
    }

    /** Keeps messages until the commit. */
    private static final class Staging extends Passing {
        private final Callable<WriteTransaction> another;
        private final boolean messagesFirst;
        private final List<OutgoingMessage> staged = new ArrayList<>();

        Staging(WriteTransaction transaction, Callable<WriteTransaction> another, boolean messagesFirst) {
            super(transaction);
            this.another = another;
            this.messagesFirst = messagesFirst;
        }

        @Override
        public PersistFunc persistFunc() {
            return message -> {
                staged.add(message);
                return message.id();
            };
        }

        @Override
        public void commit() throws Exception {
            if (messagesFirst) {
                commitMessages();
                LockSupport.parkNanos(1_000_000);
            }
            super.commit();
            if (!messagesFirst) {
                LockSupport.parkNanos(20_000_000);
                commitMessages();
            }
        }

        private void commitMessages() throws Exception {
            try (WriteTransaction own = another.call()) {
                own.persistFunc().persistAll(staged);
                own.commit();
            }
        }
    }
}
