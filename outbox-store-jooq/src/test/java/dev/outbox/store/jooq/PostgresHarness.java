package dev.outbox.store.jooq;

import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.servers.PostgresServer;
import dev.outbox.tck.StoreHarness;
import dev.outbox.tck.WriteTransaction;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;

/** Outboxes in databases of their own. */
public final class PostgresHarness implements StoreHarness {
    @Override
    public String createOutbox() throws SQLException {
        String address = PostgresServer.shared().newDatabase();
        Stores.open(address, StoreOptions.defaults().createSchema(true)).close();
        return address;
    }

    @Override
    public Store open(String address) {
        return Stores.open(address, StoreOptions.defaults().workers(4));
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
    public void dropOutbox(String address) throws SQLException {
        PostgresServer.shared().dropDatabase(address);
    }
}
