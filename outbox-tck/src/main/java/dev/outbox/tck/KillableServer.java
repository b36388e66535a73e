package dev.outbox.tck;

/**
 * A server that the suite may kill. It is set up to keep what it acknowledges, as its users are told to set it up. The
 * suite calls it from one thread at a time.
 */
@SuppressWarnings("try") // close may throw whatever stopping a server throws, InterruptedException included
public interface KillableServer extends AutoCloseable {
    /**
     * Makes a fresh, empty outbox on this server.
     *
     * @return the address for {@link StoreHarness#open} and {@link StoreHarness#begin}
     */
    String createOutbox() throws Exception;

    /** Kills all processes of the server, as {@code kill -9} does. Returns when they have ended. */
    void kill() throws Exception;

    /**
     * Starts the server again after {@link #kill}, with the data and at the address that it had. Returns when it takes
     * writes.
     */
    void restart() throws Exception;

    /** Removes an outbox of this server. The suite has already closed its clients and transactions. */
    void dropOutbox(String address) throws Exception;

    /** Stops the server and removes its data. */
    @Override
    void close() throws Exception;
}
