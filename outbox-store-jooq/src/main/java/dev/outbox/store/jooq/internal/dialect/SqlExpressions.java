package dev.outbox.store.jooq.internal.dialect;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;

/** Pieces of SQL that each database writes in its own way. */
public interface SqlExpressions {
    /** The end of a query that returns at most a number of rows. The number may be a parameter. */
    String limit(String count);

    /** Expression: the time it really is on the server, not the time the transaction began. */
    String now();

    /** Expression: {@link #now} and a parameter of milliseconds. */
    String nowPlusMillis();

    /** Expression: milliseconds since a time, negative if it is to come. */
    String millisSince(String time);

    /** Expression: a point in time, from a column of one, as {@link #instant} takes it. */
    String time(String column);

    /** A point in time. */
    Instant instant(ResultSet rows, int column) throws SQLException;
}
