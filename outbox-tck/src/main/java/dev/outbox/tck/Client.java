package dev.outbox.tck;

import dev.outbox.Browsing;
import dev.outbox.Finding;
import dev.outbox.Holders;
import dev.outbox.MessageBatch;
import dev.outbox.Operations;
import dev.outbox.PersistedMessage;
import dev.outbox.Store;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Collectors;

/** A client of the store that records what it does. Safe for use by several threads, its batches by one each. */
final class Client implements AutoCloseable {
    private final TestOutbox outbox;
    private final String name;
    private final Store store;
    private volatile boolean closed;

    Client(TestOutbox outbox, String name, Store store) {
        this.outbox = outbox;
        this.name = name;
        this.store = store;
    }

    TestOutbox outbox() {
        return outbox;
    }

    Store store() {
        return store;
    }

    Operations operations() {
        outbox.requireNoOtherWriter(null);
        return Operations.of(store);
    }

    Browsing browsing() {
        outbox.requireNoOtherWriter(null);
        return Browsing.of(store);
    }

    Finding finding() {
        outbox.requireNoOtherWriter(null);
        return Finding.of(store);
    }

    Holders holders() {
        return Holders.of(store);
    }

    /** A checkout from some topics, or from the usual one if none is named. */
    Batch checkout(int limit, String... topics) {
        Set<String> wanted = topics.length == 0 ? Set.of(TestOutbox.TOPIC) : Set.of(topics);
        MessageBatch batch;
        outbox.requireNoOtherWriter(null);
        long called = System.nanoTime();
        try {
            batch = store.checkout(wanted, limit);
        } catch (RuntimeException e) {
            outbox.record(name + " could not check out: " + e);
            throw outbox.orTookLong("a checkout", called, e);
        }
        if (batch == null) {
            throw new AssertionError("checkout returned null; expected a batch, which may be empty");
        }
        Batch checkedOut = new Batch(batch);
        outbox.record(name + " checked out " + checkedOut.describe());
        outbox.saw(checkedOut.messages().size());
        return checkedOut;
    }

    /** Checks out until there is something. */
    Batch await(int limit, String... topics) throws Exception {
        return outbox.eventually("a checkout by " + name + " returns messages", () -> {
            Batch batch = checkout(limit, topics);
            if (batch.messages().isEmpty()) {
                batch.close();
                return null;
            }
            return batch;
        });
    }

    /** Checks out once, settles all as published, and returns the texts. */
    List<String> publishAll(int limit, String... topics) {
        try (Batch batch = checkout(limit, topics)) {
            batch.messages().forEach(batch::publish);
            return batch.texts();
        }
    }

    /** Watches for a while that nothing comes. */
    void expectNothing(String because, String... topics) {
        long end = System.nanoTime() + TestOutbox.QUIET.toNanos();
        do {
            expectNothingNow(because, topics);
            LockSupport.parkNanos(TestOutbox.QUIET.toNanos() / 30);
        } while (System.nanoTime() < end);
    }

    /**
     * Watches that nothing comes before a time of {@link System#nanoTime}; a checkout that returns later may have some.
     */
    void expectNothingBefore(long end, String because, String... topics) {
        while (System.nanoTime() < end) {
            try (Batch batch = checkout(100, topics)) {
                if (!batch.messages().isEmpty() && System.nanoTime() < end) {
                    throw unexpected(batch, because);
                }
            }
            LockSupport.parkNanos(TestOutbox.QUIET.toNanos() / 30);
        }
    }

    void expectNothingNow(String because, String... topics) {
        try (Batch batch = checkout(100, topics)) {
            if (!batch.messages().isEmpty()) {
                throw unexpected(batch, because);
            }
        }
    }

    private AssertionError unexpected(Batch batch, String because) {
        return new AssertionError(
                "Expected an empty batch, because " + because + ", but " + name + " got " + batch.texts());
    }

    /** Closes it unless the test has; what a second close does is for the test of that rule to see. */
    void closeAtLast() {
        if (!closed) {
            close();
        }
    }

    @Override
    public void close() {
        closed = true;
        store.close();
        outbox.record(name + " closed");
    }

    /** A batch that records what becomes of it. */
    final class Batch implements AutoCloseable {
        private final MessageBatch batch;

        private Batch(MessageBatch batch) {
            this.batch = batch;
        }

        MessageBatch raw() {
            return batch;
        }

        List<PersistedMessage> messages() {
            return batch.messages();
        }

        PersistedMessage get(int index) {
            if (index >= messages().size()) {
                throw new AssertionError("Expected at least " + (index + 1) + " messages in the batch, but it has "
                        + messages().size() + ": " + texts());
            }
            return messages().get(index);
        }

        List<String> texts() {
            return messages().stream().map(TestOutbox::text).toList();
        }

        /** The texts of one partition, in the order of the batch. */
        List<String> texts(String topic, int partition) {
            return messages().stream()
                    .filter(m -> m.topic().equals(topic) && m.partition() == partition)
                    .map(TestOutbox::text)
                    .toList();
        }

        List<String> ids() {
            return messages().stream().map(PersistedMessage::id).toList();
        }

        void publish(PersistedMessage message) {
            mark("published", message, () -> batch.markPublished(message, "broker-" + message.id()));
        }

        void publishAll() {
            messages().forEach(this::publish);
        }

        void fail(PersistedMessage message, Duration retryAfter) {
            mark(
                    "failed, retry after " + retryAfter.toMillis() + " ms",
                    message,
                    () -> batch.markFailed(message, "broker is away", retryAfter));
        }

        void bury(PersistedMessage message) {
            mark("a dead letter", message, () -> batch.deadLetter(message, "cannot be read"));
        }

        private void mark(String as, PersistedMessage message, Runnable marking) {
            try {
                marking.run();
            } catch (RuntimeException e) {
                outbox.record(name + " could not mark " + outbox.name(message) + " " + as + ": " + e);
                throw e;
            }
            outbox.record(name + " marked " + outbox.name(message) + " " + as);
        }

        boolean isHeld() {
            return batch.isHeld();
        }

        private String describe() {
            if (messages().isEmpty()) {
                return "nothing";
            }
            return messages().stream()
                    .map(m -> outbox.name(m) + " of " + m.topic() + "/" + m.partition()
                            + (m.attempts() == 0 ? "" : " attempts " + m.attempts()))
                    .limit(12)
                    .collect(Collectors.joining(", ", "[", messages().size() > 12 ? ", …]" : "]"));
        }

        @Override
        public void close() {
            outbox.requireNoOtherWriter(null);
            long called = System.nanoTime();
            try {
                batch.close();
            } catch (RuntimeException e) {
                outbox.record(name + " failed to close a batch: " + e);
                throw outbox.orTookLong("a close", called, e);
            }
            if (!messages().isEmpty()) {
                outbox.record(name + " closed the batch that started with "
                        + outbox.name(messages().get(0)));
            }
        }
    }
}
