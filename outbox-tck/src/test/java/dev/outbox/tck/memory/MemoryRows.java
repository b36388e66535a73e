package dev.outbox.tck.memory;

import dev.outbox.store.memory.internal.MemoryState;
import dev.outbox.tck.WriteTransaction;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.WeakHashMap;

/** Rows of the application, next to an outbox in memory. Those of one transaction. */
final class MemoryRows implements WriteTransaction.Rows {
    private static final Map<MemoryState, Set<String>> ALL = Collections.synchronizedMap(new WeakHashMap<>());

    private final Set<String> committed;
    private final List<String> written = new ArrayList<>();

    MemoryRows(MemoryState outbox) {
        committed = ALL.computeIfAbsent(outbox, key -> Collections.synchronizedSet(new HashSet<>()));
    }

    @Override
    public void write(String name) {
        written.add(name);
    }

    @Override
    public boolean isThere(String name) {
        synchronized (committed) {
            return committed.contains(name);
        }
    }

    /** What an outbox has of them, to be given back by {@link #restore}. */
    static Set<String> of(MemoryState outbox) {
        Set<String> rows = new MemoryRows(outbox).committed;
        synchronized (rows) {
            return Set.copyOf(rows);
        }
    }

    static void restore(MemoryState outbox, Set<String> kept) {
        Set<String> rows = new MemoryRows(outbox).committed;
        synchronized (rows) {
            rows.retainAll(kept);
        }
    }

    int size() {
        return written.size();
    }

    void shrinkTo(int size) {
        written.subList(size, written.size()).clear();
    }

    /** Commits the rows and the messages in one step. */
    void commit(Runnable messages) {
        synchronized (committed) {
            messages.run();
            committed.addAll(written);
        }
    }
}
