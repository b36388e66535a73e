package dev.outbox.tck;

import dev.outbox.OutgoingMessage;
import dev.outbox.tck.internal.record.Inconclusive;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

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
        String id;
        outbox.writes(this);
        try {
            id = transaction.persistFunc().persist(message);
        } catch (RuntimeException e) {
            outbox.record(name + " could not persist in " + where(message) + ": " + e);
            throw e;
        }
        outbox.record(name + " persisted " + outbox.name(id, message) + " in " + where(message));
        return id;
    }

    /** Writes messages by one call. */
    List<String> writeAll(List<OutgoingMessage> messages) {
        List<String> ids;
        outbox.writes(this);
        try {
            ids = transaction.persistFunc().persistAll(messages);
        } catch (RuntimeException e) {
            outbox.record(name + " could not persist " + messages.size() + " messages together: " + e);
            throw e;
        }
        outbox.record(name + " persisted " + names(ids, messages) + " together");
        return ids;
    }

    private String names(List<String> ids, List<OutgoingMessage> messages) {
        return IntStream.range(0, Math.min(ids.size(), messages.size()))
                .limit(12)
                .mapToObj(i -> outbox.name(ids.get(i), messages.get(i)) + " in " + where(messages.get(i)))
                .collect(Collectors.joining(", ", "[", ids.size() > 12 ? ", …]" : "]"));
    }

    private static String where(OutgoingMessage message) {
        return message.topic() + "/" + message.partition();
    }

    /** Writes a row of the application. */
    void writeRow(String name) throws Exception {
        try {
            transaction.rows().write(name);
        } catch (Exception e) {
            throw new Inconclusive(name + " could not be written by the harness", e);
        }
        outbox.record(this.name + " wrote the row " + name);
    }

    /** Whether a row of the application was committed. */
    boolean seesRow(String name) {
        boolean there;
        try {
            there = transaction.rows().isThere(name);
        } catch (Exception e) {
            throw new Inconclusive(name + " could not be looked for by the harness", e);
        }
        outbox.record(this.name + (there ? " saw the row " : " did not see the row ") + name);
        return there;
    }

    void commit() throws Exception {
        try {
            transaction.commit();
        } catch (Exception e) {
            outbox.record(name + " failed to commit: " + e);
            throw e;
        } finally {
            outbox.ends(this);
        }
        outbox.record(name + " committed");
    }

    /** Sets a savepoint; returns what rolls back to it, or empty if the backend has none. */
    Optional<Callable<Boolean>> savepoint() throws Exception {
        Optional<WriteTransaction.Step> undo = transaction.savepoint();
        outbox.record(name + (undo.isPresent() ? " set a savepoint" : " has no savepoints"));
        return undo.map(step -> () -> {
            step.run();
            outbox.record(name + " rolled back to the savepoint");
            return true;
        });
    }

    void rollback() throws Exception {
        outbox.ends(this);
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
        outbox.ends(this);
        try {
            transaction.close();
        } catch (Exception e) {
            throw new IllegalStateException(name + " could not be closed", e);
        }
    }
}
