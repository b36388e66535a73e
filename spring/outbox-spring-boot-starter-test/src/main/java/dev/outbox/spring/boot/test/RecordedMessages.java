package dev.outbox.spring.boot.test;

import dev.outbox.OutboxListener;
import dev.outbox.OutgoingMessage;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/** What was published since {@link #clear}. Safe for use by several threads. */
final class RecordedMessages implements OutboxListener {
    // Guarded by this. By id, in the order in which they were written; what is rolled back is taken out.
    private final Map<String, OutgoingMessage> written = new LinkedHashMap<>();
    private final Set<String> published = new LinkedHashSet<>();
    private final Set<String> dead = new LinkedHashSet<>();

    @Override
    public void persisted(Persisted event) {
        synchronized (this) {
            written.put(event.id(), event.message());
        }
        if (TransactionSynchronizationManager.isSynchronizationActive()) {
            current().ids.add(event.id());
        }
    }

    @Override
    public synchronized void published(Published event) {
        published.add(event.message().id());
    }

    @Override
    public synchronized void deadLettered(DeadLettered event) {
        dead.add(event.message().id());
    }

    synchronized void clear() {
        written.clear();
        published.clear();
        dead.clear();
    }

    synchronized List<byte[]> pending(String topic) {
        return written(topic).stream()
                .filter(message -> !published.contains(message.id()) && !dead.contains(message.id()))
                .map(OutgoingMessage::payload)
                .toList();
    }

    /** Those that were in the database before are left out: they are of another test. */
    synchronized List<byte[]> published(String topic) {
        List<byte[]> payloads = new ArrayList<>();
        for (String id : published) {
            OutgoingMessage message = written.get(id);
            if (message != null && message.topic().equals(topic)) {
                payloads.add(message.payload());
            }
        }
        return payloads;
    }

    synchronized List<OutgoingMessage> written(String topic) {
        return written.values().stream()
                .filter(message -> message.topic().equals(topic))
                .toList();
    }

    private synchronized void rolledBack(List<String> ids) {
        ids.forEach(written::remove);
        ids.clear();
    }

    private OfTransaction current() {
        for (TransactionSynchronization known : TransactionSynchronizationManager.getSynchronizations()) {
            if (known instanceof OfTransaction found && found.isOf(this)) {
                return found;
            }
        }
        OfTransaction made = new OfTransaction();
        TransactionSynchronizationManager.registerSynchronization(made);
        return made;
    }

    /** What was published in a transaction. Used by its thread alone. */
    private final class OfTransaction implements TransactionSynchronization {
        private final List<String> ids = new ArrayList<>();

        /** How many there were at each savepoint. At one that it was not told of there were none. */
        private final Map<Object, Integer> savepoints = new LinkedHashMap<>();

        @SuppressWarnings("ReferenceEquality") // which of several application contexts it is of
        boolean isOf(RecordedMessages messages) {
            return RecordedMessages.this == messages;
        }

        @Override
        public void savepoint(Object savepoint) {
            savepoints.put(savepoint, ids.size());
        }

        @Override
        public void savepointRollback(Object savepoint) {
            rolledBack(ids.subList(savepoints.getOrDefault(savepoint, 0), ids.size()));
        }

        @Override
        public void afterCompletion(int status) {
            if (status == STATUS_ROLLED_BACK) {
                rolledBack(ids);
            }
        }
    }
}
