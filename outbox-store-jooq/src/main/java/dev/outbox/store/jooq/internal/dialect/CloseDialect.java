package dev.outbox.store.jooq.internal.dialect;

import java.sql.Connection;
import java.sql.SQLException;

/** How messages are deleted when a batch is closed. */
public interface CloseDialect {
    /**
     * Called before a batch writes messages, as a move does. From then on {@link CheckoutDialect#writers} names the
     * transaction of the batch among those that write.
     */
    void becomeWriter(Connection connection) throws SQLException;

    /** Deletes messages by row id and returns how many there were. */
    int delete(Connection connection, long[] rowIds) throws SQLException;

    /** Whether {@link #deleteAndCommit} saves a round trip on a connection of our own pool. */
    boolean deletesAndCommitsAtOnce();

    /**
     * Deletes messages by row id and then commits, in one round trip, and returns how many there were. After an error
     * on a connection that is still alive, nothing has changed. After the loss of the connection, that is unknown.
     */
    int deleteAndCommit(Connection connection, long[] rowIds) throws SQLException;
}
