package dev.outbox.tck.memory;

import dev.outbox.Store;
import dev.outbox.store.memory.internal.MemoryState;
import dev.outbox.tck.NetworkHarness;
import dev.outbox.tck.WriteTransaction;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Supplier;

/** Serves outboxes of this process, to this and other processes: the harness of the in-memory store. */
public final class MemoryHarness implements NetworkHarness {
    private final Supplier<MemoryState> outboxes;

    /** A harness of the store as it is. */
    public MemoryHarness() {
        this(MemoryState::new);
    }

    MemoryHarness(Supplier<MemoryState> outboxes) {
        this.outboxes = outboxes;
    }

    @Override
    public String createOutbox() {
        return Server.INSTANCE.serve(UUID.randomUUID().toString(), outboxes.get());
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
        return outboxes.get().lease();
    }

    @Override
    public InetSocketAddress endpoint(String address) {
        URI uri = URI.create(address);
        return new InetSocketAddress(uri.getHost(), uri.getPort());
    }

    @Override
    public String through(String address, InetSocketAddress proxy) {
        URI uri = URI.create(address);
        return address.replace(uri.getAuthority(), proxy.getHostString() + ":" + proxy.getPort());
    }

    @Override
    public Optional<String> backend(String address) {
        return Optional.of("the memory of one process, served over a socket");
    }

    @Override
    public void dropOutbox(String address) {
        Server.INSTANCE.remove(URI.create(address).getPath().substring(1));
    }

    /** One server for all harnesses of this process, started when the first outbox is made. */
    private static final class Server {
        static final MemoryOutboxServer INSTANCE = start();

        private static MemoryOutboxServer start() {
            try {
                return new MemoryOutboxServer();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
