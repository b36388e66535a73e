package dev.outbox.store.jooq;

import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.tck.NetworkHarness;
import java.net.InetSocketAddress;
import java.sql.SQLException;

/** Outboxes on a server, each in a database of its own. */
abstract class ServerHarness extends SqlHarness implements NetworkHarness {
    /** Makes an empty database, and returns its URL. */
    abstract String newDatabase() throws SQLException;

    /** Drops what {@link #newDatabase} made. */
    abstract void dropDatabase(String address) throws SQLException;

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
