package dev.outbox.tck;

import dev.outbox.store.memory.internal.MemoryState;
import dev.outbox.tck.memory.MemoryOutboxServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.util.UUID;

/** Outboxes of this process that others can open, by one server. */
final class Served {
    private static final MemoryOutboxServer SERVER = start();

    private Served() {}

    /** Serves an outbox; returns its address. */
    static String add(MemoryState outbox) {
        return SERVER.serve(UUID.randomUUID().toString(), outbox);
    }

    static void remove(String address) {
        SERVER.remove(URI.create(address).getPath().substring(1));
    }

    private static MemoryOutboxServer start() {
        try {
            return new MemoryOutboxServer();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
