package dev.outbox.tck;

import dev.outbox.PersistFunc;

/** A transaction of the application, open until it is committed, rolled back or closed. Used by one thread at a time. */
@SuppressWarnings("try") // close may throw whatever the backend throws, InterruptedException included
public interface WriteTransaction extends AutoCloseable {
    /**
     * A transaction of a backend whose handle commits, rolls back and closes by itself, such as a JDBC connection with
     * auto-commit off: {@code WriteTransaction.of(persistFunc, c::commit, c::rollback, c::close)}.
     *
     * @param persistFunc writes with the handle
     * @param close gives the handle back; called once, after a rollback if the transaction is still open
     */
    static WriteTransaction of(PersistFunc persistFunc, Step commit, Step rollback, Step close) {
        return new HandleTransaction(persistFunc, commit, rollback, close);
    }

    /** Writes messages with this transaction. */
    PersistFunc persistFunc();

    /** Commits; what it throws means that nothing was committed, or that the outcome is unknown. */
    void commit() throws Exception;

    /** Rolls back. */
    void rollback() throws Exception;

    /** Rolls back if it is still open, and gives back the connection. Closing twice does nothing. */
    @Override
    void close() throws Exception;

    /** What a handle does. */
    @FunctionalInterface
    interface Step {
        /** Does it. */
        void run() throws Exception;
    }
}
