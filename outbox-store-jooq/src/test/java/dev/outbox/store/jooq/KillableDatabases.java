package dev.outbox.store.jooq;

import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.tck.KillableServer;

/** Outboxes in databases of their own, on a server that the TCK may kill. They end with it. */
record KillableDatabases(dev.outbox.servers.KillableServer server) implements KillableServer {
    @Override
    public String createOutbox() throws Exception {
        String address = server.newDatabase();
        Stores.open(address, StoreOptions.defaults().withCreateSchema(true)).close();
        return address;
    }

    @Override
    public void kill() throws Exception {
        server.kill();
    }

    @Override
    public void restart() throws Exception {
        server.restart();
    }

    @Override
    public void dropOutbox(String address) throws Exception {
        JdbcTransaction.closeIdle(address);
    }

    @Override
    public void close() {
        server.close();
    }
}
