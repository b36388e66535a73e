package dev.outbox.store.jooq;

import dev.outbox.Store;
import dev.outbox.Stores;
import dev.outbox.tck.StoreHarness;
import dev.outbox.tck.WriteTransaction;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;

/** Outboxes in SQL databases. An address is a JDBC URL. */
abstract class SqlHarness implements StoreHarness {
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
    public Optional<String> backend(String address) throws SQLException {
        return Optional.of(Product.of(address));
    }
}
