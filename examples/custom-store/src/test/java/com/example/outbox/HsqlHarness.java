package com.example.outbox;

import dev.outbox.Store;
import dev.outbox.tck.StoreHarness;
import dev.outbox.tck.WriteTransaction;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Optional;

/** Makes outboxes and opens them, for the TCK, in this process and in those that it starts. */
public final class HsqlHarness implements StoreHarness {
    private static final Duration LEASE = Duration.ofSeconds(2);

    public String createOutbox() throws SQLException {
        String address = HsqlServer.newDatabase();
        try (Connection connection = HsqlServer.pool(address).getConnection()) {
            HsqlOutbox.createTables(connection);
            HsqlRows.createTable(connection);
        }
        return address;
    }

    public Store open(String address) {
        return HsqlOutbox.open(HsqlServer.pool(address), LEASE);
    }

    public WriteTransaction begin(String address) throws SQLException {
        Connection c = HsqlServer.pool(address).getConnection();
        c.setAutoCommit(false);
        return WriteTransaction.of(HsqlOutbox.persist(c), new HsqlRows(c), c::commit, c::rollback, c::close);
    }

    public Optional<Duration> lease() {
        return Optional.of(LEASE);
    }

    public void dropOutbox(String address) throws SQLException {
        HsqlServer.drop(address);
    }
}
