package dev.outbox.store.jooq.fault;

import dev.outbox.servers.Clock;
import dev.outbox.servers.KillableServer;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import org.h2.api.ErrorCode;

/** H2, as a server. */
record H2Database() implements Database {
    @Override
    public String label() {
        return "h2";
    }

    @Override
    public String create() throws Exception {
        return H2Process.shared().newDatabase();
    }

    @Override
    public void drop(String url) throws SQLException {
        try {
            Sql.execute(url, "SHUTDOWN IMMEDIATELY"); // its file goes with the server's directory
        } catch (SQLException e) {
            if (e.getErrorCode() != ErrorCode.DATABASE_IS_CLOSED) { // which is what the answer may be
                throw e;
            }
        }
    }

    /** A server of one's own, by the real clock. */
    static KillableServer ownServer() throws Exception {
        return H2Process.start(Map.of());
    }

    @Override
    public KillableServer ownServer(Clock clock) throws Exception {
        return H2Process.start(clock.environment());
    }

    /**
     * What it writes to its file is not of one moment: with 400 tables, eight threads of plain JDBC that mostly rolled back,
     * and 120 kills, one transaction was there by half afterwards (2.5.252).
     */
    @Override
    public boolean isAtomicWhenKilled() {
        return false;
    }

    /** It keeps no count; whoever is in one gets an error, and those are counted. */
    @Override
    public long deadlocks(String url) {
        return 0;
    }

    @Override
    public void endSessions(Connection administrator) throws SQLException {
        for (long session : Sql.numbers(
                administrator, "SELECT session_id FROM information_schema.sessions WHERE session_id <> session_id()")) {
            try (Statement statement = administrator.createStatement()) {
                statement.execute("CALL ABORT_SESSION(" + session + ")");
            }
        }
    }
}
