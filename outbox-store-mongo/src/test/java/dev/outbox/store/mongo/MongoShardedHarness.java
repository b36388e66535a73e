package dev.outbox.store.mongo;

import com.mongodb.ConnectionString;
import com.mongodb.ServerAddress;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.servers.MongoCluster;
import dev.outbox.tck.NetworkHarness;
import dev.outbox.tck.WriteTransaction;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import org.bson.Document;

/**
 * Outboxes in a sharded cluster of two shards, through two routers. The messages are sharded by topic and partition;
 * each of the topics that tests use most has partitions on both shards.
 */
public final class MongoShardedHarness implements NetworkHarness {
    private static final Duration LEASE = Duration.ofSeconds(2);
    private static final String MESSAGES = "outbox_messages";

    private static final Map<String, MongoClient> CLIENTS = new ConcurrentHashMap<>();

    @Override
    public String createOutbox() {
        return createOutbox(MongoCluster.shared());
    }

    static String createOutbox(MongoCluster cluster) {
        String address = cluster.newDatabase();
        String database = MongoHarness.database(address);
        MongoOutbox.createSchema(client(address).getDatabase(database));
        MongoRows.createCollection(client(address).getDatabase(database));
        cluster.shard(database, MESSAGES);
        cluster.split(database, MESSAGES, "orders", 1);
        // The first partition of this topic and every topic before it stay where they are.
        cluster.move(database, MESSAGES, "orders", 1, secondShard(cluster, database));
        // A client that writes in a transaction before its router knows of the move has to begin again.
        cluster.letRoutersLook(database, MESSAGES);
        return address;
    }

    /** The one on which the database is not. */
    private static int secondShard(MongoCluster cluster, String database) {
        return cluster.chunks(database, MESSAGES).get(0) == 0 ? 0 : 1;
    }

    @Override
    public Store open(String address) {
        return Stores.open(address, StoreOptions.defaults().with(MongoOutbox.LEASE, LEASE));
    }

    @Override
    public WriteTransaction begin(String address) {
        return new MongoTransaction(client(address), MongoHarness.database(address));
    }

    @Override
    public Optional<Duration> lease() {
        return Optional.of(LEASE);
    }

    /** That of the first router. */
    @Override
    public InetSocketAddress endpoint(String address) {
        ServerAddress router =
                new ServerAddress(new ConnectionString(address).getHosts().get(0));
        return new InetSocketAddress(router.getHost(), router.getPort());
    }

    @Override
    public String through(String address, InetSocketAddress proxy) {
        // The driver tells hosts in another order than the address has them.
        return TestOutbox.with(
                "socketTimeoutMS=10000",
                address.replaceFirst("(?<=//)[^/]+", proxy.getHostString() + ":" + proxy.getPort()));
    }

    @Override
    public Optional<String> backend(String address) {
        return Optional.of("MongoDB "
                + client(address)
                        .getDatabase(MongoHarness.database(address))
                        .runCommand(new Document("buildInfo", 1))
                        .getString("version")
                + ", two shards and two routers");
    }

    @Override
    public void dropOutbox(String address) {
        closeClients(address);
        MongoCluster.shared().dropDatabase(address);
    }

    static void closeClients(String address) {
        String database = MongoHarness.database(address);
        CLIENTS.keySet().stream()
                .filter(each -> MongoHarness.database(each).equals(database))
                .forEach(each -> {
                    MongoClient client = CLIENTS.remove(each);
                    if (client != null) {
                        client.close();
                    }
                });
    }

    static MongoClient client(String address) {
        return CLIENTS.computeIfAbsent(address, MongoClients::create);
    }
}
