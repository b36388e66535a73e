package dev.outbox.tck.runner;

import dev.outbox.Capabilities;
import dev.outbox.Capability;
import dev.outbox.MessageBatch;
import dev.outbox.Store;
import dev.outbox.tck.KillableServer;
import dev.outbox.tck.KillableServerHarness;
import dev.outbox.tck.StoreHarness;
import dev.outbox.tck.WriteTransaction;
import dev.outbox.tck.memory.MemoryHarness;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;

/** Harnesses that are not in the jar. */
final class Harnesses {
    private Harnesses() {}

    /** Of a store that takes more than was asked for. */
    public static class Greedy implements StoreHarness {
        private final MemoryHarness memory = new MemoryHarness();

        /** For the runner. */
        public Greedy() {}

        @Override
        public String createOutbox() {
            return memory.createOutbox();
        }

        @Override
        public Store open(String address) throws IOException {
            return new GreedyStore(memory.open(address));
        }

        @Override
        public WriteTransaction begin(String address) throws IOException {
            return memory.begin(address);
        }

        @Override
        public Optional<Duration> lease() {
            return Optional.empty();
        }

        @Override
        public void dropOutbox(String address) {
            memory.dropOutbox(address);
        }
    }

    /** Of the same store, on a server that may be killed, and has no copy. */
    public static final class Killable extends Greedy implements KillableServerHarness {
        /** For the runner. */
        public Killable() {}

        @Override
        public InetSocketAddress endpoint(String address) {
            return new MemoryHarness().endpoint(address);
        }

        @Override
        public String through(String address, InetSocketAddress proxy) {
            return new MemoryHarness().through(address, proxy);
        }

        @Override
        public KillableServer startServer() {
            throw new UnsupportedOperationException("The runner has to refuse before it asks.");
        }
    }

    private record GreedyStore(Store store) implements Store {
        @Override
        public Capabilities capabilities() {
            return Capabilities.all()
                    .without(Capability.OPERATIONS, "it is small")
                    .without(Capability.BROWSING, "it is small")
                    .without(Capability.FINDING, "it is small")
                    .without(Capability.HOLDERS, "it is small")
                    .without(Capability.WAKE_UP, "it is small");
        }

        @Override
        public MessageBatch checkout(Set<String> topics, int limit) {
            return store.checkout(topics, limit == 1 ? 2 : limit);
        }

        @Override
        public void close() {
            store.close();
        }
    }

    /** Of a server that goes away after the first transaction. */
    public static final class Failing implements StoreHarness {
        private final Greedy greedy = new Greedy();
        private boolean away;

        /** For the runner. */
        public Failing() {}

        @Override
        public String createOutbox() {
            return greedy.createOutbox();
        }

        @Override
        public Store open(String address) throws IOException {
            return greedy.open(address);
        }

        @Override
        public WriteTransaction begin(String address) throws IOException {
            if (away) {
                throw new IOException("the server went away");
            }
            away = true;
            return greedy.begin(address);
        }

        @Override
        public Optional<Duration> lease() {
            return Optional.empty();
        }

        @Override
        public void dropOutbox(String address) {
            greedy.dropOutbox(address);
        }
    }

    /** Of a server that is not there. */
    public static final class Unreachable implements StoreHarness {
        /** For the runner. */
        public Unreachable() {}

        @Override
        public String createOutbox() throws IOException {
            throw new IOException("the server is down");
        }

        @Override
        public Store open(String address) {
            throw new IllegalStateException("no outbox was made");
        }

        @Override
        public WriteTransaction begin(String address) {
            throw new IllegalStateException("no outbox was made");
        }

        @Override
        public Optional<Duration> lease() {
            return Optional.empty();
        }

        @Override
        public void dropOutbox(String address) {
            throw new IllegalStateException("no outbox was made");
        }
    }
}
