package dev.outbox.tck.internal.explore;

import dev.outbox.PersistFunc;
import dev.outbox.Store;
import java.util.Optional;

/** The store that is explored. Safe for use by several threads. */
public interface Target {
    /** Makes a fresh, empty outbox and returns its address. */
    String createOutbox() throws Exception;

    /** Opens a client, with room for at least four batches at a time. */
    Store open(String address) throws Exception;

    /** Begins a transaction of the application, on a connection of its own. */
    Transaction begin(String address) throws Exception;

    /** Removes an outbox whose clients and transactions are closed. */
    void dropOutbox(String address) throws Exception;

    /** A transaction of the application. One thread at a time uses it. */
    @SuppressWarnings("try") // close may throw whatever the backend throws
    interface Transaction extends AutoCloseable {
        /** The function that writes messages in this transaction. */
        PersistFunc persistFunc();

        /** Sets a savepoint, and returns the action that rolls back to it; empty if there are no savepoints. */
        Optional<Undo> savepoint() throws Exception;

        /** Commits. */
        void commit() throws Exception;

        /** Rolls back. */
        void rollback() throws Exception;

        /** Rolls back if the transaction is still open. */
        @Override
        void close() throws Exception;
    }

    /** Rolls back to a savepoint. */
    interface Undo {
        /** Does it. */
        void run() throws Exception;
    }
}
