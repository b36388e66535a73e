package dev.outbox.benchmarks.peers;

/** Another way to an outbox, set up as its documentation has it and tuned for throughput. */
public interface Peer extends AutoCloseable {
    /** With its version. */
    String name();

    /** Empties its tables and leaves this number of messages there, like a process that died after its commits. */
    void fill(int messages) throws Exception;

    /**
     * Hands this number of messages, which are there, to a handler that does nothing, and waits until they are settled.
     */
    void drain(int messages) throws Exception;

    /** Writes transactions of {@code messages} messages each. */
    void persist(int transactions, int messages) throws Exception;

    /** What it works on at a time. */
    int batch();

    @Override
    void close();
}
