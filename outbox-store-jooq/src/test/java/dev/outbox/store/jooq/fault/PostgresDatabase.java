package dev.outbox.store.jooq.fault;

import dev.outbox.servers.Clock;
import dev.outbox.servers.KillableServer;
import dev.outbox.servers.PostgresServer;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;

/** PostgreSQL. */
record PostgresDatabase() implements Database {
    @Override
    public String label() {
        return "postgres";
    }

    @Override
    public String create() throws Exception {
        return PostgresServer.shared().newDatabase();
    }

    @Override
    public void drop(String url) throws Exception {
        PostgresServer.shared().dropDatabase(url);
    }

    @Override
    public KillableServer ownServer(Clock clock) throws Exception {
        return PostgresServer.packaged(clock);
    }

    @Override
    public long deadlocks(String url) throws SQLException {
        return Sql.number(url, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()");
    }

    @Override
    public void endSessions(Connection administrator) throws SQLException {
        try (Statement statement = administrator.createStatement()) {
            statement.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    + " WHERE datname = current_database() AND pid <> pg_backend_pid()");
        }
    }
}
