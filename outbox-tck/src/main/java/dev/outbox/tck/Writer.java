package dev.outbox.tck;

import dev.outbox.OutgoingMessage;
import java.util.List;

/** A transaction that records what it does. */
final class Writer implements AutoCloseable {
    private final TestOutbox outbox;
    private final String name;
    private final WriteTransaction transaction;
    private volatile boolean closed;

    Writer(TestOutbox outbox, String name, WriteTransaction transaction) {
        this.outbox = outbox;
        this.name = name;
        this.transaction = transaction;
    }

    String write(String topic, int partition, String text) {
        return write(TestOutbox.message(topic, partition, text));
    }

    String write(OutgoingMessage message) {
        String id = transaction.persistFunc().persist(message);
        outbox.record(name + " persisted " + id + " in " + message.topic() + "/" + message.partition() + ", "
                + message.payload().length + " bytes");
        return id;
    }

    /** Writes messages by one call. */
    List<String> writeAll(List<OutgoingMessage> messages) {
        List<String> ids = transaction.persistFunc().persistAll(messages);
        outbox.record(name + " persisted " + ids + " together");
        return ids;
    }

    void commit() throws Exception {
        transaction.commit();
        outbox.record(name + " committed");
    }

    void rollback() throws Exception {
        transaction.rollback();
        outbox.record(name + " rolled back");
    }

    /** Closes it unless the test has. */
    void closeAtLast() {
        if (!closed) {
            close();
        }
    }

    @Override
    public void close() {
        closed = true;
        try {
            transaction.close();
        } catch (Exception e) {
            throw new IllegalStateException(name + " could not be closed", e);
        }
    }
}
