package dev.outbox.tck;

import dev.outbox.Store;
import dev.outbox.store.memory.internal.MemoryState;
import dev.outbox.tck.memory.MemoryHarness;
import dev.outbox.tck.memory.MemoryOutboxServer;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Tag;

/** The in-memory store keeps the contract with leases, too. */
@Tag("versions")
class LeaseTckTest extends NetworkTck {
    @Override
    public NetworkHarness harness() {
        return new Harness();
    }

    /** Outboxes whose holds are leases. */
    public static final class Harness implements NetworkHarness {
        private static final Duration LEASE = Duration.ofSeconds(1);

        /** For other processes, too. */
        public Harness() {}

        @Override
        public String createOutbox() {
            return Served.add(new MemoryState(LEASE));
        }

        @Override
        public Store open(String address) throws IOException {
            return MemoryOutboxServer.open(address);
        }

        @Override
        public WriteTransaction begin(String address) throws IOException {
            return MemoryOutboxServer.begin(address);
        }

        @Override
        public Optional<Duration> lease() {
            return Optional.of(LEASE);
        }

        @Override
        public InetSocketAddress endpoint(String address) {
            return new MemoryHarness().endpoint(address);
        }

        @Override
        public String through(String address, InetSocketAddress proxy) {
            return new MemoryHarness().through(address, proxy);
        }

        @Override
        public void dropOutbox(String address) {
            Served.remove(address);
        }
    }
}
