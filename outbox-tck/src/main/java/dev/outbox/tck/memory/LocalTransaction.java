package dev.outbox.tck.memory;

import dev.outbox.MisuseException;
import dev.outbox.OutgoingMessage;
import dev.outbox.PersistFunc;
import dev.outbox.tck.WriteTransaction;
import java.util.ArrayList;
import java.util.List;

/** Keeps what was written to itself until it commits. */
final class LocalTransaction implements WriteTransaction {
    private final MemoryOutbox outbox;
    private final List<MemoryOutbox.Written> messages = new ArrayList<>();
    private boolean open = true;

    LocalTransaction(MemoryOutbox outbox) {
        this.outbox = outbox;
    }

    @Override
    public PersistFunc persistFunc() {
        return this::persist;
    }

    private String persist(OutgoingMessage message) {
        requireOpen();
        MemoryOutbox.Written written = outbox.write(message);
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
