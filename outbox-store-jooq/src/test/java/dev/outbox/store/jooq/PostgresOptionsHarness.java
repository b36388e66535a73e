package dev.outbox.store.jooq;

import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.servers.PostgresVersion;
import java.sql.SQLException;

/** Outboxes whose writers notify, and whose clients listen and keep strict order. */
public final class PostgresOptionsHarness extends SqlHarness {
    private static final StoreOptions OPTIONS =
            StoreOptions.defaults().with(JdbcOutbox.STRICT_ORDER, true).withWakeUp(true);

    /** With the trigger. */
    private static final EmptiedDatabases EMPTIED = new EmptiedDatabases(PostgresVersion.V17, OPTIONS);

    @Override
    public String createOutbox() throws SQLException {
        return EMPTIED.take();
    }

    @Override
    public Store open(String address) {
        return Stores.open(address, OPTIONS);
    }

    @Override
    public void dropOutbox(String address) throws SQLException {
        JdbcTransaction.closeIdle(address);
        EMPTIED.giveBack(address);
    }
}
