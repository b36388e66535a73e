package dev.outbox.tck;

import dev.outbox.PersistFunc;
import dev.outbox.Store;
import dev.outbox.tck.internal.explore.Target;
import dev.outbox.tck.internal.record.Inconclusive;
import java.util.Optional;

/** The store of a harness, as an exploration sees it. */
record HarnessTarget(StoreHarness harness) implements Target {
    @Override
    public String createOutbox() {
        try {
            return harness.createOutbox();
        } catch (Exception e) {
            throw new Inconclusive(harness.getClass().getName() + ".createOutbox() failed", e);
        }
    }

    @Override
    public Store open(String address) throws Exception {
        return harness.open(address);
    }

    @Override
    public Transaction begin(String address) throws Exception {
        return new OfHarness(harness.begin(address));
    }

    @Override
    public void dropOutbox(String address) throws Exception {
        harness.dropOutbox(address);
    }

    @SuppressWarnings("try") // what the handle throws at close may be an InterruptedException
    private record OfHarness(WriteTransaction transaction) implements Transaction {
        @Override
        public PersistFunc persistFunc() {
            return transaction.persistFunc();
        }

        @Override
        public Optional<Undo> savepoint() throws Exception {
            return transaction.savepoint().map(step -> step::run);
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
}
