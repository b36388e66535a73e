package dev.outbox.store.jooq;

import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.servers.MySqlServer;
import dev.outbox.tck.NetworkHarness;
import dev.outbox.tck.WriteTransaction;
import java.net.InetSocketAddress;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;

/** Outboxes in databases of their own. */
public final class MySqlHarness implements NetworkHarness {
    @Override
    public String createOutbox() throws SQLException {
        String address = MySqlServer.shared().newDatabase();
        Stores.open(address, StoreOptions.defaults().withCreateSchema(true)).close();
        return address;
    }

    @Override
    public Store open(String address) {
        return Stores.open(address);
    }

    @Override
    public WriteTransaction begin(String address) throws SQLException {
        return new JdbcTransaction(address);
    }

    @Override
    public Optional<Duration> lease() {
        return Optional.empty();
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
    public Optional<String> backend(String address) throws SQLException {
        return Optional.of(Product.of(address));
    }

    @Override
    public void dropOutbox(String address) throws SQLException {
        JdbcTransaction.closeIdle(address);
        MySqlServer.shared().dropDatabase(address);
    }
}
