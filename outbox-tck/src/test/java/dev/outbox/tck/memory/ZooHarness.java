package dev.outbox.tck.memory;

import dev.outbox.Store;
import dev.outbox.store.memory.internal.MemoryState;
import dev.outbox.tck.FailoverHarness;
import dev.outbox.tck.FailoverServer;
import dev.outbox.tck.KillableServer;
import dev.outbox.tck.WriteTransaction;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Outboxes of a broken store. Clients in this process use them as they are, because that is quick; other processes, and
 * clients with leases, which need somebody to renew them, use a socket. An address says which store it is.
 */
public final class ZooHarness implements FailoverHarness {
    private static final Map<String, MemoryState> HERE = new ConcurrentHashMap<>();

    private final Broken broken;

    /** For other processes, which only open outboxes. */
    public ZooHarness() {
        this(Zoo.SOUND);
    }

    /** Makes outboxes of this store. */
    public ZooHarness(Broken broken) {
        this.broken = broken;
    }

    @Override
    public String createOutbox() {
        MemoryState outbox = broken.outbox().get();
        String served = new MemoryHarness(() -> outbox).createOutbox();
        HERE.put(served, outbox);
        return broken.idea().replace(' ', '_') + "|" + served;
    }

    @Override
    public Store open(String address) throws IOException {
        String served = served(address);
        MemoryState here = HERE.get(served);
        Store client = here == null || here.lease().isPresent() ? MemoryOutboxServer.open(served) : here.store();
        return store(address).client().apply(client);
    }

    @Override
    public WriteTransaction begin(String address) throws IOException {
        return store(address).writing().begin(plain(address), () -> plain(address));
    }

    private static WriteTransaction plain(String address) throws IOException {
        MemoryState here = HERE.get(served(address));
        return here == null ? MemoryOutboxServer.begin(served(address)) : new HandleOf(here);
    }

    @Override
    public Optional<Duration> lease() {
        return broken.outbox().get().lease();
    }

    @Override
    public InetSocketAddress endpoint(String address) {
        return new MemoryHarness().endpoint(served(address));
    }

    @Override
    public String through(String address, InetSocketAddress proxy) {
        return address.substring(0, address.indexOf('|') + 1) + new MemoryHarness().through(served(address), proxy);
    }

    @Override
    public KillableServer startServer() throws IOException {
        MemoryOutboxServer server = new MemoryOutboxServer();
        return new KillableServer() {
            @Override
            public String createOutbox() {
                return broken.idea().replace(' ', '_') + "|"
                        + server.serve(
                                UUID.randomUUID().toString(), broken.outbox().get());
            }

            @Override
            public void kill() throws IOException {
                server.kill();
            }

            @Override
            public void restart() {
                server.restart();
            }

            @Override
            public void dropOutbox(String address) {
                server.remove(URI.create(served(address)).getPath().substring(1));
            }

            @Override
            public void close() throws IOException {
                server.close();
            }
        };
    }

    @Override
    public FailoverServer startFailoverServer() throws IOException {
        MemoryOutboxServer server = new MemoryOutboxServer();
        Copies copies = new Copies(broken.outbox().get());
        return new FailoverServer() {
            @Override
            public String createOutbox() {
                return broken.idea().replace(' ', '_') + "|"
                        + server.serve(UUID.randomUUID().toString(), copies.outbox());
            }

            @Override
            public boolean mayLoseWrites() {
                return copies.mayLoseWrites();
            }

            @Override
            public void lag() {
                copies.lag();
            }

            @Override
            public void failOver() throws IOException {
                server.kill();
                copies.failOver();
                server.restart();
            }

            @Override
            public void close() throws IOException {
                server.close();
            }
        };
    }

    @Override
    public void dropOutbox(String address) {
        HERE.remove(served(address));
        new MemoryHarness().dropOutbox(served(address));
    }

    private static Broken store(String address) {
        return Zoo.of(address.substring(0, address.indexOf('|')).replace('_', ' '));
    }

    private static String served(String address) {
        return address.substring(address.indexOf('|') + 1);
    }
}
