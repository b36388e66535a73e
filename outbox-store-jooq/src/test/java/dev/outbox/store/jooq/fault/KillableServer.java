package dev.outbox.store.jooq.fault;

import dev.outbox.servers.MariaDbServer;
import dev.outbox.servers.MySqlServer;
import dev.outbox.servers.PostgresServer;

/** A server of a test's own, which may be killed. */
interface KillableServer extends AutoCloseable {
    /** URL of an empty database. */
    String newDatabase() throws Exception;

    /** As a power cut would, but that the system keeps what was written to its files. */
    void kill() throws Exception;

    /** With the data it had, at the address it had. */
    void restart() throws Exception;

    @Override
    void close();

    /** PostgreSQL. */
    record Postgres(PostgresServer server) implements KillableServer {
        @Override
        public String newDatabase() throws Exception {
            return server.newDatabase();
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
        public void close() {
            server.close();
        }
    }

    /** MySQL. */
    record MySql(MySqlServer server) implements KillableServer {
        @Override
        public String newDatabase() throws Exception {
            return server.newDatabase();
        }

        @Override
        public void kill() {
            server.kill();
        }

        @Override
        public void restart() throws Exception {
            server.restart();
        }

        @Override
        public void close() {
            server.close();
        }
    }

    /** MariaDB. */
    record MariaDb(MariaDbServer server) implements KillableServer {
        @Override
        public String newDatabase() throws Exception {
            return server.newDatabase();
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
        public void close() {
            server.close();
        }
    }
}
