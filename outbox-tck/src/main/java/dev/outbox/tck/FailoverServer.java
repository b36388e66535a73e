package dev.outbox.tck;

/**
 * A server that has a copy, which takes its place once. It is set up as the page of the store says. The suite calls it
 * from one thread at a time.
 */
@SuppressWarnings("try") // close may throw whatever stopping a server throws, InterruptedException included
public interface FailoverServer extends AutoCloseable {
    /**
     * Makes a fresh, empty outbox on this server. The suite asks for one.
     *
     * @return the address for {@link StoreHarness#open} and {@link StoreHarness#begin}, which leads to the copy after
     *     {@link #failOver}
     */
    String createOutbox() throws Exception;

    /**
     * Whether the page of the store says that a failover may lose the last writes that were acknowledged. False means
     * that it loses none of them (OBX-FAILOVER-1).
     */
    boolean mayLoseWrites();

    /**
     * Keeps further writes from the copy until {@link #failOver}, as far as the server acknowledges them then. Returns
     * when the copy has everything that was acknowledged before. If writes may be lost, those after this call are.
     */
    void lag() throws Exception;

    /** Kills the server, and lets the copy take its place. Returns when transactions commit at the address again. */
    void failOver() throws Exception;

    /** Stops everything and removes the data. The suite has already closed its clients and transactions. */
    @Override
    void close() throws Exception;
}
