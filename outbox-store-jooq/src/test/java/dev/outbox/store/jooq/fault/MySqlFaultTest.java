package dev.outbox.store.jooq.fault;

import dev.outbox.servers.MySqlServer;
import org.junit.jupiter.api.Tag;

/** Histories under faults, on MySQL. */
@Tag("mysql")
class MySqlFaultTest extends MySqlFamilyFaultTest {
    MySqlFaultTest() {
        super("mysql");
    }

    @Override
    String newDatabase() throws Exception {
        return MySqlServer.shared().newDatabase();
    }

    @Override
    void drop(String url) throws Exception {
        MySqlServer.shared().dropDatabase(url);
    }

    @Override
    KillableServer ownServer() throws Exception {
        return new KillableServer.MySql(MySqlServer.packaged());
    }
}
