package dev.outbox.tck;

import dev.outbox.Store;
import dev.outbox.store.memory.internal.MemoryState;
import dev.outbox.tck.memory.HandleOf;
import dev.outbox.tck.memory.MemoryOutboxServer;
import java.io.IOException;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** The in-memory store keeps the contract without a server in between, too; only other processes need one. */
class InProcessTest extends StoreTck {
    @Override
    public StoreHarness harness() {
        return new Harness();
    }

    /** Knows the outboxes of its own process, and finds those of others through their server. */
    public static final class Harness implements StoreHarness {
        private static final Map<String, MemoryState> OUTBOXES = new ConcurrentHashMap<>();

        /** For other processes, too. */
        public Harness() {}

        @Override
        public String createOutbox() {
            MemoryState outbox = new MemoryState();
            String address = Served.add(outbox);
            OUTBOXES.put(address, outbox);
            return address;
        }

        @Override
        public Store open(String address) throws IOException {
            @Nullable MemoryState outbox = OUTBOXES.get(address);
            return outbox == null ? MemoryOutboxServer.open(address) : outbox.store();
        }

        @Override
        public WriteTransaction begin(String address) throws IOException {
            @Nullable MemoryState outbox = OUTBOXES.get(address);
            return outbox == null ? MemoryOutboxServer.begin(address) : new HandleOf(outbox);
        }

        @Override
        public Optional<Duration> lease() {
            return Optional.empty();
        }

        @Override
        public void dropOutbox(String address) {
            Served.remove(address);
            OUTBOXES.remove(address);
        }
    }
}
