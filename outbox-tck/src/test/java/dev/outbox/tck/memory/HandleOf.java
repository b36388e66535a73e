package dev.outbox.tck.memory;

import dev.outbox.PersistFunc;
import dev.outbox.store.memory.internal.MemoryState;
import dev.outbox.store.memory.internal.Transaction;
import dev.outbox.tck.WriteTransaction;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** A transaction in memory, as the suite has it. It is made of parts: a savepoint begins the next. */
public final class HandleOf implements WriteTransaction {
    private final MemoryState outbox;
    private final List<Transaction> parts = new ArrayList<>();
    private final MemoryRows rows;

    /** A new transaction. */
    public HandleOf(MemoryState outbox) {
        this.outbox = outbox;
        this.rows = new MemoryRows(outbox);
        parts.add(outbox.begin());
    }

    @Override
    public PersistFunc persistFunc() {
        return parts.get(parts.size() - 1).persistFunc();
    }

    @Override
    public Rows rows() {
        return rows;
    }

    @Override
    public Optional<Step> savepoint() {
        if (outbox instanceof OneWriter) {
            return Optional.empty(); // each part is a writer
        }
        int keptParts = parts.size();
        int keptRows = rows.size();
        parts.add(outbox.begin());
        return Optional.of(() -> {
            List<Transaction> undone = parts.subList(keptParts, parts.size());
            undone.forEach(Transaction::close);
            undone.clear();
            rows.shrinkTo(keptRows);
            parts.add(outbox.begin());
        });
    }

    @Override
    public void commit() {
        rows.commit(() -> {
            synchronized (outbox) {
                parts.forEach(Transaction::commit);
            }
        });
    }

    @Override
    public void rollback() {
        parts.forEach(Transaction::rollback);
    }

    @Override
    public void close() {
        parts.forEach(Transaction::close);
    }
}
