package dev.outbox.tck.memory;

import dev.outbox.store.memory.internal.MemoryState;
import java.util.Set;

/** An outbox, and what a copy has of it that lags. */
final class Copies {
    private final MemoryState outbox;
    private final MemoryState copy = new MemoryState();
    private Set<String> rows = Set.of();

    Copies(MemoryState outbox) {
        this.outbox = outbox;
    }

    MemoryState outbox() {
        return outbox;
    }

    boolean mayLoseWrites() {
        return !(outbox instanceof Copied copied) || copied.mayLoseWrites();
    }

    void lag() {
        copy.become(outbox);
        rows = MemoryRows.of(outbox);
    }

    /** Between the end of all connections and the first new one. */
    void failOver() {
        Copied copied = outbox instanceof Copied other ? other : outbox::become;
        if (!copied.keepsRows()) {
            MemoryRows.restore(outbox, rows);
        }
        copied.failOver(copy);
    }

    /** An outbox that does not become what its copy has. */
    @FunctionalInterface
    interface Copied {
        /** What it says of itself. */
        default boolean mayLoseWrites() {
            return true;
        }

        /** Whether the copy has all rows. */
        default boolean keepsRows() {
            return false;
        }

        /** Makes it what it is after the failover. */
        void failOver(MemoryState lagging);
    }

    /** An outbox whose copy has every write. */
    static final class InStep extends MemoryState implements Copied {
        @Override
        public boolean mayLoseWrites() {
            return false;
        }

        @Override
        public boolean keepsRows() {
            return true;
        }

        @Override
        public void failOver(MemoryState lagging) {
            // It is as it was.
        }
    }
}
