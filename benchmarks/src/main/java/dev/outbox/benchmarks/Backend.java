package dev.outbox.benchmarks;

import dev.outbox.Store;

/**
 * One server with one outbox, and the same work by hand: the least over the bare driver that keeps the same promises, with
 * the same messages, limit and durability.
 */
interface Backend {
    /** The topic of all messages. */
    String TOPIC = "orders";

    /** As it is called on the command line and in the output. */
    String name();

    /** Empties the outbox and puts so many messages into it, spread evenly over partitions. */
    void fill(int messages, int partitions) throws Exception;

    /** A store for one worker. */
    Store open();

    /** Reads with a lock, deletes and commits, until so many messages are gone; on one connection, kept until {@link #fill}. */
    void drainBare(int limit, int messages) throws Exception;

    /** Writes through the library: so many transactions of so many messages, on the same connection. */
    void persist(int transactions, int messages) throws Exception;

    /** The same by the statement that the library itself would send. */
    void persistBare(int transactions, int messages) throws Exception;

    /** Keeps the server from cleaning up what is deleted from now on, as a long report or a forgotten session does. */
    AutoCloseable holdSnapshot() throws Exception;

    /** Ends what was started for the measurements. */
    void close() throws Exception;
}
