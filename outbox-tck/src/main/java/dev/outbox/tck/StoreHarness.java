package dev.outbox.tck;

import dev.outbox.Store;
import java.time.Duration;
import java.util.Optional;

/**
 * Tells {@link StoreTck} how to make an outbox, open it and write to it. An implementation is a public class with a
 * public constructor without parameters, because the suite also makes an instance in other processes. They open the
 * outbox by its address and by nothing else. An implementation must be safe for use by several threads.
 */
public interface StoreHarness {
    /**
     * Makes a fresh, empty outbox that shares nothing with any other.
     *
     * @return the address of the outbox: a text from which a harness in any process of this machine can open it
     */
    String createOutbox() throws Exception;

    /** Opens a client of an outbox, with room for at least four batches at a time. The suite closes it. */
    Store open(String address) throws Exception;

    /** Begins a transaction of the application on the backend of an outbox, on a connection of its own. */
    WriteTransaction begin(String address) throws Exception;

    /**
     * How long a hold survives if its process is paused or cut off. This is the lease of the clients that {@link #open}
     * makes. Choose two seconds or less, because tests wait for its end. Empty if a hold is bound to a connection and
     * lasts until the backend sees the connection end.
     */
    Optional<Duration> lease();

    /**
     * The name and version of the backend, for the report, such as {@code PostgreSQL 17.2}. Empty by default: then the
     * report does not name it.
     */
    default Optional<String> backend(String address) throws Exception {
        return Optional.empty();
    }

    /**
     * Removes an outbox and everything that belongs to it. The suite has already closed its clients and transactions.
     */
    void dropOutbox(String address) throws Exception;
}
