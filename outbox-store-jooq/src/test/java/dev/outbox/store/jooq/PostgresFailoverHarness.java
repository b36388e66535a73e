package dev.outbox.store.jooq;

import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.servers.PostgresServer;
import dev.outbox.servers.PostgresStandby;
import dev.outbox.servers.PostgresVersion;
import dev.outbox.tck.FailoverHarness;
import dev.outbox.tck.FailoverServer;
import java.io.IOException;

/** Outboxes on one server, and on one with an asynchronous standby. */
public class PostgresFailoverHarness extends PostgresHarness implements FailoverHarness {
    private final boolean synchronous;

    /** With an asynchronous standby, or for other processes, which start no server. */
    public PostgresFailoverHarness() {
        this(false);
    }

    PostgresFailoverHarness(boolean synchronous) {
        super(emptied(PostgresVersion.V17));
        this.synchronous = synchronous;
    }

    @Override
    public FailoverServer startFailoverServer() throws Exception {
        PostgresServer primary = PostgresServer.packaged();
        try {
            return new Pair(primary, primary.standby(synchronous), synchronous);
        } catch (Exception e) {
            primary.close();
            throw e;
        }
    }

    private record Pair(PostgresServer primary, PostgresStandby standby, boolean synchronous)
            implements FailoverServer {
        @Override
        public String createOutbox() throws Exception {
            String address = standby.url(primary.newDatabase());
            Stores.open(address, StoreOptions.defaults().withCreateSchema(true)).close();
            return address;
        }

        @Override
        public boolean mayLoseWrites() {
            return !synchronous;
        }

        @Override
        public void lag() throws Exception {
            standby.lag();
        }

        @Override
        public void failOver() throws Exception {
            standby.failOver();
        }

        @Override
        public void close() throws IOException {
            standby.close();
            primary.close();
        }
    }
}
