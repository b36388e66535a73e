package dev.outbox.store.mongo;

import com.mongodb.ConnectionString;
import com.mongodb.client.MongoClient;
import com.mongodb.client.MongoClients;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.servers.MongoServer;
import dev.outbox.tck.StoreHarness;
import dev.outbox.tck.WriteTransaction;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/** Outboxes in databases of their own. */
public final class MongoHarness implements StoreHarness {
    private static final Duration LEASE = Duration.ofSeconds(2);

    /** Of the application, one for each outbox: its transactions have a connection of their own in its pool. */
    private static final Map<String, MongoClient> CLIENTS = new ConcurrentHashMap<>();

    @Override
    public String createOutbox() {
        String address = MongoServer.shared().newDatabase();
        MongoOutbox.createCollections(client(address).getDatabase(database(address)));
        return address;
    }

    @Override
    public Store open(String address) {
        return Stores.open(
                address, StoreOptions.defaults().with(MongoOutbox.LEASE_MILLIS, Long.toString(LEASE.toMillis())));
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
    public void dropOutbox(String address) {
        MongoClient client = CLIENTS.remove(address);
        if (client != null) {
            client.close();
        }
        MongoServer.shared().dropDatabase(address);
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
