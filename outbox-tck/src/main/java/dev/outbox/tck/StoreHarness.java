package dev.outbox.tck;

import dev.outbox.Store;
import java.time.Duration;
import java.util.Optional;

/**
 * What a store provides to be tested by {@link StoreTck}. An implementation is a public class with a public constructor
 * without parameters, because the suite also makes one in other processes, which then open the outbox by its address and
 * nothing else. Safe for use by several threads.
 */
public interface StoreHarness {
    /**
     * Makes a fresh, empty outbox that shares nothing with any other.
     *
     * @return its address: a text from which a harness in any process of this machine can open it
     */
    String createOutbox() throws Exception;

    /** Opens a client of an outbox, with room for at least four batches at a time. The suite closes it. */
    Store open(String address) throws Exception;

    /** Begins a transaction of the application on the backend of an outbox, on a connection of its own. */
    WriteTransaction begin(String address) throws Exception;

    /**
     * How long a hold survives when its process is paused or cut off: the lease of the clients that {@link #open} makes,
     * best no more than two seconds, because tests wait for its end. Empty if holds are bound to a connection, and last
     * until the backend sees it end.
     */
    Optional<Duration> lease();

    /** Removes an outbox and what belongs to it. The suite has closed its clients and transactions before. */
    void dropOutbox(String address) throws Exception;
}
