package dev.outbox.store.jooq.internal.connection;

import dev.outbox.StoreException;
import dev.outbox.store.jooq.internal.dialect.Dialect;
import dev.outbox.store.jooq.internal.schema.StoreErrors;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/**
 * What to say where nothing can be written. A relay that took and read messages there would publish them and then be
 * unable to settle them, so every dialect sees to it that a checkout fails before it hands anything out.
 */
public final class ReadOnly {
    private ReadOnly() {}

    /**
     * Ends the transaction of the lease, asks why it was read-only, and has its connection ended: the next one may lead
     * elsewhere.
     */
    public static StoreException failure(String doing, BorrowedConnection borrowed, Dialect dialect, SQLException e) {
        String why = "";
        try {
            borrowed.rollback();
            why = why(borrowed.connection(), dialect);
        } catch (SQLException | RuntimeException again) {
            // then the exception has to say it
        }
        borrowed.markBroken();
        String advice = why.isEmpty() ? dialect.setupAdvice(e) : why;
        return new StoreException(StoreErrors.text(doing, e) + (advice == null ? "" : ". " + advice), e);
    }

    /** What makes the database read-only and what to do; empty if it is not. Outside of any transaction. */
    static String why(Connection connection, Dialect dialect) throws SQLException {
        String why;
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(dialect.whyReadOnly())) {
            row.next();
            why = row.getString(1);
        }
        if (why == null && connection.isReadOnly()) {
            why = "the pool, or the URL, makes its connections read-only";
        }
        return why == null
                ? ""
                : "The database, or this connection to it, is read-only: " + why
                        + ". A relay deletes what it has published,"
                        + " and writers write: connect both to the primary, with connections that may write.";
    }
}
