package dev.outbox.store.jooq.fault;

import dev.outbox.servers.KillableServer;
import dev.outbox.servers.TcpProxy;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Histories under faults, on H2; those that the module of histories has, for every other database, are here. */
@Tag("versions")
class H2HistoryTest extends HistoryTest {
    H2HistoryTest() {
        super(new H2Database());
    }

    @Test
    void relaysAreKilled() throws Exception {
        try (History history = history("relay killed", url, Settings.USUAL)) {
            history.start(url, url);
            for (int i = 0; i < 2; i++) {
                RelayProcess relay = history.relay(1 + i);
                history.awaitDelivered(50);
                int now = history.now();
                history.fault("kill " + relay.name());
                relay.kill();
                history.awaitLines("its successor", now, line -> line.is('D', relay.name()), 1);
            }
            history.finish();
        }
    }

    @Test
    void theServerIsKilledAndRestarted() throws Exception {
        try (KillableServer server = H2Database.ownServer()) {
            String address = server.newDatabase();
            try (History history = history("server killed", address, Settings.USUAL)) {
                history.start(address, address);
                history.awaitDelivered(100);
                history.databaseFault("kill the server");
                server.kill();
                server.restart();
                int now = history.now();
                for (int relay = 1; relay <= 2; relay++) {
                    String name = history.relay(relay).name();
                    history.awaitLines("messages from " + name, now, line -> line.is('D', name), 10);
                }
                history.finish();
            }
        }
    }

    @Test
    void connectionsAreCut() throws Exception {
        try (TcpProxy relays = TcpProxy.before(url);
                TcpProxy writers = TcpProxy.before(url);
                History history = history("connections cut", url, Settings.USUAL)) {
            history.start(writers.route(url), relays.route(url));
            for (int i = 0; i < 4; i++) {
                history.awaitDelivered(50);
                history.fault("cut the relays' connections");
                relays.cut();
                history.awaitDelivered(50);
                writers.cut();
            }
            history.finish();
        }
    }

    /** One of the processes is the server of the others, and one of them has to take its place. */
    @Test
    void whoeverHoldsTheEmbeddedFileIsKilled(@TempDir Path directory) throws Exception {
        String file = "jdbc:h2:file:" + directory.resolve("outbox") + ";AUTO_SERVER=TRUE;WRITE_DELAY=0";
        try (History history = history("holder of the file killed", file, Settings.USUAL)) {
            history.start(file, file);
            history.awaitDelivered(100);
            int now = history.now();
            history.databaseFault("kill both relays");
            history.relay(1).kill();
            history.relay(2).kill();
            for (int relay = 1; relay <= 2; relay++) {
                String name = history.relay(relay).name();
                history.awaitLines("messages from " + name, now, line -> line.is('D', name), 50);
            }
            history.finish();
        }
    }
}
