package dev.outbox.store.memory.internal;

import dev.outbox.MisuseException;
import dev.outbox.OutgoingMessage;
import dev.outbox.PersistFunc;
import java.util.ArrayList;
import java.util.List;

/** Keeps what was written to itself until it commits. */
public final class LocalTransaction implements Transaction {
    private final MemoryState outbox;
    private final List<MemoryState.Written> messages = new ArrayList<>();
    private boolean open = true;

    /** A new transaction on an outbox. */
    public LocalTransaction(MemoryState outbox) {
        this.outbox = outbox;
    }

    @Override
    public PersistFunc persistFunc() {
        return this::persist;
    }

    private String persist(OutgoingMessage message) {
        requireOpen();
        MemoryState.Written written = outbox.write(message);
        messages.add(written);
        return written.message().id();
    }

    @Override
    public void commit() {
        requireOpen();
        open = false;
        outbox.commit(messages);
    }

    @Override
    public void rollback() {
        requireOpen();
        open = false;
    }

    @Override
    public void close() {
        open = false;
    }

    private void requireOpen() {
        if (!open) {
            throw new MisuseException("The transaction has ended; begin another.");
        }
    }
}
