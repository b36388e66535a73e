package dev.outbox.benchmarks;

import dev.outbox.Codecs;
import dev.outbox.Publisher;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.Topic;

/**
 * One server with one outbox, and the same work by hand: the least over the bare driver that keeps the same promises,
 * with the same messages, limit and durability.
 */
interface Backend {
    /** The topic that is written to. */
    Topic<byte[]> TOPIC = Topic.builder(Load.TOPIC, Codecs.bytes()).build();

    /** As it is called on the command line and in the output. */
    String name();

    /** What the server says it is. */
    String version() throws Exception;

    /** Where the outbox is; any process can open it. */
    String url();

    /** How to open it. */
    StoreOptions options(boolean wakeUps);

    default Store open() {
        return Stores.open(url(), options(false));
    }

    /** Empties the outbox, while there is no store. */
    void clear() throws Exception;

    /** Puts more into it. */
    void add(Load load) throws Exception;

    boolean isEmpty() throws Exception;

    /**
     * Reads, deletes and commits until this number of messages of one partition is gone. It uses one connection, which
     * it keeps until {@link #clear}.
     */
    void drainBare(int limit, int messages) throws Exception;

    /** Writes through the library, on a connection of its own. */
    default Writer writer() throws Exception {
        return writer(TOPIC);
    }

    /** The same with another form of {@link #TOPIC}. */
    Writer writer(Topic<byte[]> topic) throws Exception;

    /** Writes transactions of {@code messages} messages each, by the statement that the library itself would send. */
    void persistBare(int transactions, int messages) throws Exception;

    /**
     * Writes a message by hand, and when that was committed, reads it by hand, as {@link #drainBare} does. Returns the
     * nanoseconds from the call of commit until it was read.
     */
    long roundTrip() throws Exception;

    /** What the server has done since its start. */
    Activity activity() throws Exception;

    /** Ends what was started for the measurements. */
    void close() throws Exception;

    /**
     * The work of a whole server, for all its clients.
     *
     * @param commands that it carried out, which are transactions where it counts no commands
     * @param cpuSeconds that it computed; NaN where that cannot be told
     */
    record Activity(long commands, double cpuSeconds) {}

    /** Transactions one after the other. Used by one thread. */
    interface Writer extends AutoCloseable {
        void begin() throws Exception;

        /** Of the transaction that has begun. */
        Publisher<byte[]> publisher();

        void commit() throws Exception;

        @Override
        void close();
    }
}
