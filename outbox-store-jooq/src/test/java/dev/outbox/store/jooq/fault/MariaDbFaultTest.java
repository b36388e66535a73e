package dev.outbox.store.jooq.fault;

import dev.outbox.servers.MariaDbServer;
import org.junit.jupiter.api.Tag;

/** Histories under faults, on MariaDB. */
@Tag("mariadb")
class MariaDbFaultTest extends MySqlFamilyFaultTest {
    MariaDbFaultTest() {
        super("mariadb");
    }

    @Override
    String newDatabase() throws Exception {
        return MariaDbServer.shared().newDatabase();
    }

    @Override
    void drop(String url) throws Exception {
        MariaDbServer.shared().dropDatabase(url);
    }

    @Override
    KillableServer ownServer() throws Exception {
        return new KillableServer.MariaDb(MariaDbServer.packaged());
    }
}
