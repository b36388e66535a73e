package dev.outbox.store.jooq.internal.dialect;

import java.sql.Connection;
import java.sql.SQLException;

/** How transactions begin and end, and where nothing can be written. */
public interface TransactionDialect {
    /**
     * Begins a READ COMMITTED transaction on a connection in auto-commit mode that may be set up in any other way.
     * Returns the value that {@link #endTransaction} needs to put the connection back as it was.
     */
    int beginTransaction(Connection connection) throws SQLException;

    /**
     * Begins a transaction on a connection of our own pool, which is in auto-commit mode and READ COMMITTED. If the
     * database can begin it together with its first statement, returns the SQL to send before that one, otherwise "".
     */
    String beginDedicated(Connection connection) throws SQLException;

    /**
     * Statements to send after the beginning of a transaction, so that it fails if the database is read-only. They are
     * "" if the beginning fails then, or the first change of a batch, which comes before the batch hands anything out.
     */
    String requireWritable();

    /**
     * Query, outside of any transaction: the reason why the database is read-only for this session, or null if none is
     * known.
     */
    String whyReadOnly();

    /**
     * Fails if the session is gone in which {@link #beginDedicated} or {@link #beginTransaction} began a transaction.
     */
    void requireSession(Connection connection) throws SQLException;

    /** Commits the transaction that {@link #beginDedicated} or {@link #beginTransaction} began. */
    void commit(Connection connection) throws SQLException;

    /** Rolls back the transaction that {@link #beginDedicated} or {@link #beginTransaction} began. */
    void rollback(Connection connection) throws SQLException;

    /** Reverts the changes that {@link #beginTransaction} made to the connection. */
    void endTransaction(Connection connection, int before) throws SQLException;

    /** Whether to commit, and not roll back, a transaction that has taken partitions and changed nothing. */
    boolean endsHoldsByCommit();

    /**
     * What to append to a query in the transaction of a batch, so that the open batch hinders nothing on the server.
     */
    String endOfRead();
}
