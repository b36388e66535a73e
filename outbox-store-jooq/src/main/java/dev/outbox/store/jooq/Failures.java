package dev.outbox.store.jooq;

import dev.outbox.ConfigurationException;
import dev.outbox.OutboxException;
import dev.outbox.StoreException;
import java.sql.Connection;
import java.sql.SQLException;

/** Says what a failure of the database means. */
final class Failures {
    private Failures() {}

    /** A failure of one of our own statements, on a connection that is to be rolled back. */
    static OutboxException of(String doing, Dialect dialect, SQLException e) {
        return dialect.isMissingTable(e) ? missingTables(doing, dialect, e) : new StoreException(text(doing, e), e);
    }

    static ConfigurationException missingTables(String doing, Dialect dialect, SQLException e) {
        return new ConfigurationException(
                text(doing, e) + "\nThe outbox has no tables here, or not all of them. Create them in a transaction of"
                        + " their own, in the schema that your connections use, with "
                        + dialect.names().inCode()
                        + ".createSchema(dataSource),"
                        + " with the option createSchema=true, or with this DDL:\n\n" + Schema.ddl(dialect),
                e);
    }

    /** A failure that is no SQLException: a driver or a pool that does not keep to JDBC, a closed pool. */
    static StoreException unexpected(String doing, RuntimeException e) {
        return new StoreException(doing + " failed: " + e.getMessage(), e);
    }

    /** Whether the connection is gone, and with it what it held. */
    static boolean isLost(Connection connection, SQLException e) {
        String state = e.getSQLState();
        if (state != null && state.startsWith("08")) {
            return true;
        }
        try {
            return connection.isClosed() || !connection.isValid(2);
        } catch (SQLException | RuntimeException again) {
            return true;
        }
    }

    static String text(String doing, SQLException e) {
        return doing + " failed: " + e.getMessage();
    }
}
