package dev.outbox.tck;

import dev.outbox.PersistFunc;
import java.util.Optional;

/**
 * A transaction of the application. It is open until it is committed, rolled back or closed. One thread at a time uses
 * it.
 */
@SuppressWarnings("try") // close may throw whatever the backend throws, InterruptedException included
public interface WriteTransaction extends AutoCloseable {
    /**
     * A transaction that is made of the methods of a handle, such as a JDBC connection with auto-commit off: {@code
     * WriteTransaction.of(persistFunc, rows, c::commit, c::rollback, c::close)}.
     *
     * @param persistFunc writes messages with the handle
     * @param rows writes rows with the handle
     * @param close gives the handle back; it is called once, after a rollback if the transaction is still open
     */
    static WriteTransaction of(PersistFunc persistFunc, Rows rows, Step commit, Step rollback, Step close) {
        return new HandleTransaction(persistFunc, rows, commit, rollback, close);
    }

    /** The function that writes messages in this transaction. */
    PersistFunc persistFunc();

    /** Rows of the application, which this transaction writes together with its messages. */
    Rows rows();

    /**
     * Sets a savepoint, and returns the action that rolls back to it. After that the transaction is still open.
     *
     * @return empty, as by default, if the backend has no savepoints
     */
    default Optional<Step> savepoint() throws Exception {
        return Optional.empty();
    }

    /** Commits. An exception means that nothing was committed, or that the outcome is unknown. */
    void commit() throws Exception;

    /** Rolls the transaction back. */
    void rollback() throws Exception;

    /** Rolls back if the transaction is still open, and gives back its connection. A second call does nothing. */
    @Override
    void close() throws Exception;

    /**
     * Rows of the application, in a table of the harness. A row is a name of up to 100 letters, digits and hyphens. The
     * suite writes no name twice.
     */
    interface Rows {
        /** Writes a row in this transaction. */
        void write(String name) throws Exception;

        /** Whether a row is there that was committed. The suite asks a transaction that has written nothing. */
        boolean isThere(String name) throws Exception;
    }

    /** One action of a transaction's handle. */
    @FunctionalInterface
    interface Step {
        /** Performs the action. */
        void run() throws Exception;
    }
}
