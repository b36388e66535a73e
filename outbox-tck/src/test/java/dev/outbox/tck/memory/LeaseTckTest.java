package dev.outbox.tck.memory;

import dev.outbox.Store;
import dev.outbox.tck.StoreHarness;
import dev.outbox.tck.StoreTck;
import dev.outbox.tck.WriteTransaction;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;

/** The in-memory store keeps the contract with leases, too. */
class LeaseTckTest extends StoreTck {
    @Override
    public StoreHarness harness() {
        return new Harness();
    }

    /** Outboxes whose holds are leases. */
    public static final class Harness implements StoreHarness {
        private final MemoryHarness harness = new MemoryHarness(() -> new MemoryOutbox(Duration.ofSeconds(1)));

        /** For other processes, too. */
        public Harness() {}

        @Override
        public String createOutbox() {
            return harness.createOutbox();
        }

        @Override
        public Store open(String address) throws IOException {
            return harness.open(address);
        }

        @Override
        public WriteTransaction begin(String address) throws IOException {
            return harness.begin(address);
        }

        @Override
        public Optional<Duration> lease() {
            return harness.lease();
        }

        @Override
        public void dropOutbox(String address) {
            harness.dropOutbox(address);
        }
    }
}
