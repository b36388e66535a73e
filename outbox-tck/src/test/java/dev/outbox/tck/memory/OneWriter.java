package dev.outbox.tck.memory;

import dev.outbox.OutgoingMessage;
import dev.outbox.StoreException;
import dev.outbox.spi.Outcome;
import dev.outbox.store.memory.internal.MemoryState;
import dev.outbox.store.memory.internal.Transaction;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;

/** From the first message of a transaction to its end, nobody else writes anything. */
final class OneWriter extends MemoryState {
    private final Semaphore writer = new Semaphore(1, true);
    private final boolean waits;

    /** @param waits whether others wait, or fail */
    OneWriter(boolean waits) {
        this.waits = waits;
    }

    private void acquire() {
        if (waits) {
            writer.acquireUninterruptibly();
        } else if (!writer.tryAcquire()) {
            throw new StoreException("the database is locked");
        }
    }

    private <T> T alone(Supplier<T> action) {
        if (!waits) {
            return action.get();
        }
        acquire();
        try {
            return action.get();
        } finally {
            writer.release();
        }
    }

    @Override
    public Transaction begin() {
        return new PassingTransaction(super.begin()) {
            private boolean writes;

            @Override
            String persist(OutgoingMessage message) {
                if (!writes) {
                    acquire();
                    writes = true;
                }
                return super.persist(message);
            }

            private void end() {
                if (writes) {
                    writes = false;
                    writer.release();
                }
            }

            @Override
            public void commit() {
                super.commit();
                end();
            }

            @Override
            public void rollback() {
                super.rollback();
                end();
            }

            @Override
            public void close() {
                super.close();
                end();
            }
        };
    }

    // Without the lock of the outbox, which whoever writes needs to end.

    @Override
    @SuppressWarnings("UnsynchronizedOverridesSynchronized")
    public Hold checkout(Set<String> topics, int limit) {
        return alone(() -> super.checkout(topics, limit));
    }

    @Override
    @SuppressWarnings("UnsynchronizedOverridesSynchronized")
    public void settle(Hold hold, List<Outcome> outcomes) {
        alone(() -> {
            super.settle(hold, outcomes);
            return true;
        });
    }

    @Override
    @SuppressWarnings("UnsynchronizedOverridesSynchronized")
    public int redrive(Collection<String> ids) {
        return alone(() -> super.redrive(ids));
    }

    @Override
    @SuppressWarnings("UnsynchronizedOverridesSynchronized")
    public int discard(Collection<String> ids) {
        return alone(() -> super.discard(ids));
    }
}
