package dev.outbox.store.jooq.fault;

import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

/** Histories under faults, on H2. */
class H2FaultTest extends FaultTest {
    private static H2Process server;

    H2FaultTest() {
        super("h2");
    }

    @BeforeAll
    static void start() throws Exception {
        server = H2Process.start();
    }

    @AfterAll
    static void stop() {
        server.close();
    }

    @Override
    String newDatabase() {
        return server.newDatabase();
    }

    @Override
    void drop(String url) throws SQLException {
        Sql.execute(url, "SHUTDOWN IMMEDIATELY");
    }

    @Override
    KillableServer ownServer() throws Exception {
        return H2Process.start();
    }

    /** It keeps no count; whoever is in one gets an error, and those are counted. */
    @Override
    long deadlocks(String url) {
        return 0;
    }

    @Override
    void endSessions(Connection administrator) throws SQLException {
        for (long session : Sql.numbers(
                administrator, "SELECT session_id FROM information_schema.sessions WHERE session_id <> session_id()")) {
            try (Statement statement = administrator.createStatement()) {
                statement.execute("CALL ABORT_SESSION(" + session + ")");
            }
        }
    }
}
