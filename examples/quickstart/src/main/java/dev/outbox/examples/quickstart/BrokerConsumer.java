package dev.outbox.examples.quickstart;

import java.io.Closeable;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads from a broker in a thread of its own. Used by one other thread. */
final class BrokerConsumer implements Consumer {
    /** How long it may take to leave the broker. */
    private static final long LEAVE_MILLIS = 10_000;

    private final Source source;
    private final DeliveryLog log;
    private final String broker;
    private final String address;
    private final Thread thread = new Thread(this::read, "consumer");
    private volatile boolean asked;
    private volatile boolean atEnd;
    private volatile boolean closed;
    private volatile @Nullable Exception broken;

    private BrokerConsumer(Source source, DeliveryLog log, String broker, String address) {
        this.source = source;
        this.log = log;
        this.broker = broker;
        this.address = address;
        thread.setDaemon(true);
    }

    /** Messages that a broker has. Used by one thread. */
    interface Source extends Closeable {
        /** The next messages as they come, those of one customer in their order; waits a little if there are none. */
        List<Delivered> next() throws Exception;

        /** Whether {@link #next} has returned everything that the broker has. */
        boolean isAtEnd() throws Exception;
    }

    /**
     * Starts to read.
     *
     * @param broker what it is and where, without secrets
     * @param address of the broker, as it was given
     */
    static Consumer start(Source source, Path output, String broker, String address) throws IOException {
        BrokerConsumer consumer = new BrokerConsumer(source, DeliveryLog.open(output), broker, address);
        consumer.thread.start();
        return consumer;
    }

    private void read() {
        try (source;
                log) {
            while (!closed) {
                for (Delivered delivered : source.next()) {
                    log.append(delivered);
                }
                atEnd = asked && source.isAtEnd();
            }
        } catch (Exception e) {
            broken = e;
        }
    }

    @Override
    public boolean hasEverything() {
        Exception failure = broken;
        if (failure != null) {
            throw Failure.broken("Reading from " + broker + " failed: " + Failure.textOf(failure, address), failure);
        }
        asked = true;
        return atEnd;
    }

    @Override
    public void close() {
        closed = true;
        try {
            thread.join(LEAVE_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
