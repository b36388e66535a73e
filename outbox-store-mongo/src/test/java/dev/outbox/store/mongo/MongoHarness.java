package dev.outbox.store.mongo;

import com.mongodb.ConnectionString;
import com.mongodb.ServerAddress;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import com.mongodb.client.MongoDatabase;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.servers.MongoServer;
import dev.outbox.tck.KillableServer;
import dev.outbox.tck.KillableServerHarness;
import dev.outbox.tck.WriteTransaction;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.bson.Document;

/** Outboxes in databases of their own. */
public class MongoHarness implements KillableServerHarness {
    private static final Duration LEASE = Duration.ofSeconds(2);

    /** Of the application, one for each address: its transactions have a connection of their own in its pool. */
    private static final Map<String, MongoClient> CLIENTS = new ConcurrentHashMap<>();

    @Override
    public String createOutbox() {
        return createOutbox(MongoServer.shared());
    }

    static String createOutbox(MongoServer server) {
        String address = server.newDatabase();
        MongoDatabase database = client(address).getDatabase(database(address));
        MongoOutbox.createSchema(database);
        MongoRows.createCollection(database);
        return address;
    }

    @Override
    public Store open(String address) {
        return Stores.open(address, StoreOptions.defaults().with(MongoOutbox.LEASE, LEASE));
    }

    @Override
    public WriteTransaction begin(String address) {
        return new MongoTransaction(client(address), database(address));
    }

    @Override
    public Optional<Duration> lease() {
        return Optional.of(LEASE);
    }

    @Override
    public InetSocketAddress endpoint(String address) {
        ServerAddress server = new ServerAddress(hosts(address));
        return new InetSocketAddress(server.getHost(), server.getPort());
    }

    /** What the members say of where they are is not followed: it would lead around the proxy. */
    @Override
    public String through(String address, InetSocketAddress proxy) {
        return TestOutbox.with(
                "directConnection=true&socketTimeoutMS=10000",
                address.replace(hosts(address), proxy.getHostString() + ":" + proxy.getPort()));
    }

    /** Those of one member: a network test is of one connection's two ends. */
    private static String hosts(String address) {
        List<String> hosts = new ConnectionString(address).getHosts();
        if (hosts.size() != 1) {
            throw new IllegalArgumentException("expected the address of one member, not of " + hosts.size());
        }
        return hosts.get(0);
    }

    @Override
    public Optional<String> backend(String address) {
        return Optional.of("MongoDB "
                + client(address)
                        .getDatabase(database(address))
                        .runCommand(new Document("buildInfo", 1))
                        .getString("version"));
    }

    @Override
    public void dropOutbox(String address) {
        closeClients(address);
        MongoServer.shared().dropDatabase(address);
    }

    /** A replica set of one member. Whatever a client of an outbox asks for, the store writes with {@code w: majority}. */
    @Override
    public KillableServer startServer() throws IOException, InterruptedException {
        MongoServer server = MongoServer.packaged(1);
        return new KillableServer() {
            @Override
            public String createOutbox() {
                return MongoHarness.createOutbox(server);
            }

            @Override
            public void kill() {
                server.kill(0);
            }

            @Override
            public void restart() throws IOException {
                server.restart(0);
                server.awaitPrimary();
            }

            @Override
            public void dropOutbox(String address) {
                closeClients(address);
                server.dropDatabase(address);
            }

            @Override
            public void close() {
                server.close();
            }
        };
    }

    static void closeClients(String address) {
        String database = database(address);
        CLIENTS.keySet().stream().filter(a -> database(a).equals(database)).forEach(a -> {
            MongoClient client = CLIENTS.remove(a);
            if (client != null) {
                client.close();
            }
        });
    }

    private static MongoClient client(String address) {
        return CLIENTS.computeIfAbsent(address, MongoClients::create);
    }

    static String database(String address) {
        String database = new ConnectionString(address).getDatabase();
        if (database == null) {
            throw new IllegalArgumentException("no database in the address");
        }
        return database;
    }
}
