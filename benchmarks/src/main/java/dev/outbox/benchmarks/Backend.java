package dev.outbox.benchmarks;

import dev.outbox.Store;

/**
 * One server with one outbox, and the same work by hand: the least over the bare driver that keeps the same promises, with
 * the same messages, limit and durability.
 */
interface Backend {
    /** As it is called on the command line and in the output. */
    String name();

    /** Empties the outbox and fills it anew. */
    void fill(Load load) throws Exception;

    /** A store for so many workers. */
    Store open(int workers);

    /** Reads, deletes and commits until so many messages of one partition are gone; on one connection, kept until {@link #fill}. */
    void drainBare(int limit, int messages) throws Exception;

    /** Writes through the library: so many transactions of so many messages, on one connection. */
    void persist(int transactions, int messages) throws Exception;

    /** The same by the statement that the library itself would send. */
    void persistBare(int transactions, int messages) throws Exception;

    /** Ends what was started for the measurements. */
    void close() throws Exception;
}
