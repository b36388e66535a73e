package dev.outbox.store.jooq.fault;

import dev.outbox.servers.PostgresServer;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;

/** Histories under faults, on PostgreSQL. */
@Tag("postgres")
class PostgresFaultTest extends ServerFaultTest {
    PostgresFaultTest() {
        super("postgres");
    }

    @Override
    String newDatabase() throws Exception {
        return PostgresServer.shared().newDatabase();
    }

    @Override
    void drop(String url) throws Exception {
        PostgresServer.shared().dropDatabase(url);
    }

    @Override
    KillableServer ownServer() throws Exception {
        return new KillableServer.Postgres(PostgresServer.packaged());
    }

    @Override
    long deadlocks(String url) throws SQLException {
        return Sql.number(url, "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()");
    }

    @Override
    void endSessions(Connection administrator) throws SQLException {
        try (Statement statement = administrator.createStatement()) {
            statement.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    + " WHERE datname = current_database() AND pid <> pg_backend_pid()");
        }
    }

    @Override
    Pattern commit() {
        return Pattern.compile("\0COMMIT\0");
    }

    @Override
    String withCommitsAsText(String address) {
        return address + "&prepareThreshold=0"; // else a commit is prepared once, and its text is not sent again
    }
}
