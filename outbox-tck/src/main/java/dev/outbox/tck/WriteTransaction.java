package dev.outbox.tck;

import dev.outbox.PersistFunc;

/** A transaction of the application, open until it is committed, rolled back or closed. Used by one thread at a time. */
@SuppressWarnings("try") // close may throw whatever the backend throws, InterruptedException included
public interface WriteTransaction extends AutoCloseable {
    /** Writes messages with this transaction. */
    PersistFunc persistFunc();

    /** Commits; what it throws means that nothing was committed, or that the outcome is unknown. */
    void commit() throws Exception;

    /** Rolls back. */
    void rollback() throws Exception;

    /** Rolls back if it is still open, and gives back the connection. Closing twice does nothing. */
    @Override
    void close() throws Exception;
}
