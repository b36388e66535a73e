package dev.outbox.store.jooq;

import dev.outbox.servers.KillableServer;
import dev.outbox.servers.MariaDbServer;
import java.sql.SQLException;

/** Outboxes in databases of their own. */
public final class MariaDbHarness extends ServerHarness {
    @Override
    String newDatabase() throws SQLException {
        return MariaDbServer.shared().newDatabase();
    }

    @Override
    KillableServer ownServer() throws Exception {
        return MariaDbServer.packaged();
    }

    @Override
    void dropDatabase(String address) throws SQLException {
        MariaDbServer.shared().dropDatabase(address);
    }
}
