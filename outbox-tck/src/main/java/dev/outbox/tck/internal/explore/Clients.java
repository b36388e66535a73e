package dev.outbox.tck.internal.explore;

import dev.outbox.Store;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** An outbox and its clients, which are opened when they are needed. Safe for use by several threads. */
final class Clients {
    private final Target target;
    private final String address;
    private final Duration lease;
    private final Map<Integer, Store> clients = new TreeMap<>();

    Clients(Target target, Duration lease) throws Exception {
        this.target = target;
        this.lease = lease;
        this.address = target.createOutbox();
    }

    /** How long a hold may outlive its client. */
    Duration lease() {
        return lease;
    }

    synchronized Store get(int client) throws Exception {
        Store open = clients.get(client);
        if (open == null) {
            open = target.open(address);
            clients.put(client, open);
        }
        return open;
    }

    Target.Transaction begin() throws Exception {
        return target.begin(address);
    }

    /** Closes a client twice, and returns it. Another is opened in its place. */
    synchronized Store reopen(int client) throws Exception {
        Store open = get(client);
        clients.remove(client);
        open.close();
        open.close();
        get(client);
        return open;
    }

    /** Closes all clients; others are opened when they are needed. */
    synchronized void closeAll() {
        List<Store> open = new ArrayList<>(clients.values());
        clients.clear();
        open.forEach(Clients::closeQuietly);
    }

    /** Closes the clients and drops the outbox. */
    void drop() throws Exception {
        closeAll();
        target.dropOutbox(address);
    }

    /** Something went wrong before, and that is what is to be told. */
    static void closeQuietly(@Nullable AutoCloseable closeable) {
        try {
            if (closeable != null) {
                closeable.close();
            }
        } catch (Exception e) {
            // The cause of both is told already.
        }
    }
}
