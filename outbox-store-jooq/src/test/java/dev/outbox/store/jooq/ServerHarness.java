package dev.outbox.store.jooq;

import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.tck.KillableServer;
import dev.outbox.tck.KillableServerHarness;
import java.net.InetSocketAddress;
import java.sql.SQLException;

/** Outboxes on a server, each in a database of its own. */
abstract class ServerHarness extends SqlHarness implements KillableServerHarness {
    /** Makes an empty database, and returns its URL. */
    abstract String newDatabase() throws SQLException;

    /** Drops what {@link #newDatabase} made. */
    abstract void dropDatabase(String address) throws SQLException;

    /** A server of a test's own. */
    abstract dev.outbox.servers.KillableServer ownServer() throws Exception;

    @Override
    public KillableServer startServer() throws Exception {
        return new KillableDatabases(ownServer());
    }

    @Override
    public String createOutbox() throws SQLException {
        String address = newDatabase();
        Stores.open(address, StoreOptions.defaults().withCreateSchema(true)).close();
        return address;
    }

    @Override
    public InetSocketAddress endpoint(String address) {
        return JdbcAddress.endpoint(address);
    }

    @Override
    public String through(String address, InetSocketAddress proxy) {
        return JdbcAddress.through(address, proxy);
    }

    @Override
    public void dropOutbox(String address) throws SQLException {
        JdbcTransaction.closeIdle(address);
        dropDatabase(address);
    }
}
