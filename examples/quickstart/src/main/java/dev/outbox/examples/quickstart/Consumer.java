package dev.outbox.examples.quickstart;

/** The other end of the broker: notes each message that arrives in a {@link DeliveryLog}. */
interface Consumer extends AutoCloseable {
    /**
     * Whether everything is noted that the broker had at the first call. Call it when nothing more is published.
     *
     * @throws Failure if reading from the broker failed
     */
    boolean hasEverything();

    @Override
    void close();
}
