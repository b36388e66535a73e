package dev.outbox.benchmarks.peers;

/** Another way to an outbox, set up as its documentation has it and tuned for throughput. */
public interface Peer extends AutoCloseable {
    /** With its version. */
    String name();

    /** Empties its tables and leaves so many messages there, as a process that died after its commits does. */
    void fill(int messages) throws Exception;

    /** Hands over so many messages, which are there, to a handler that does nothing, and waits until they are settled. */
    void drain(int messages) throws Exception;

    /** Writes so many transactions of so many messages. */
    void persist(int transactions, int messages) throws Exception;

    /** What it works on at a time. */
    int batch();

    @Override
    void close();
}
