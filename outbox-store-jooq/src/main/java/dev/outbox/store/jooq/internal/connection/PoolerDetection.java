package dev.outbox.store.jooq.internal.connection;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import org.postgresql.PGConnection;

/**
 * A pooler between us and a PostgreSQL server, such as PgBouncer. It may give every transaction another session of the
 * server: what one sets for its session then meets another's statements, and what one prepared is not there.
 */
public final class PoolerDetection {
    private PoolerDetection() {}

    /** Whether the process that answers is not the one that the driver was told of when it connected. */
    public static boolean isBetween(Connection connection) throws SQLException {
        int told;
        try {
            if (!connection.isWrapperFor(PGConnection.class)) {
                return false; // another driver, of which nothing is known
            }
            told = connection.unwrap(PGConnection.class).getBackendPID();
        } catch (NoClassDefFoundError e) {
            return false; // the same
        }
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery("SELECT pg_backend_pid()")) {
            row.next();
            return row.getInt(1) != told;
        }
    }
}
