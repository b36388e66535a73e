package dev.outbox.store.jooq;

import dev.outbox.servers.KillableServer;
import dev.outbox.servers.MySqlServer;
import java.sql.SQLException;

/** Outboxes in databases of their own. */
public final class MySqlHarness extends ServerHarness {
    @Override
    String newDatabase() throws SQLException {
        return MySqlServer.shared().newDatabase();
    }

    @Override
    KillableServer ownServer() throws Exception {
        return MySqlServer.packaged();
    }

    @Override
    void dropDatabase(String address) throws SQLException {
        MySqlServer.shared().dropDatabase(address);
    }
}
