package dev.outbox.store.memory.internal;

import dev.outbox.Browsing;
import dev.outbox.Capabilities;
import dev.outbox.DeadLetter;
import dev.outbox.Finding;
import dev.outbox.Holders;
import dev.outbox.MessageBatch;
import dev.outbox.MisuseException;
import dev.outbox.Operations;
import dev.outbox.OutgoingMessage;
import dev.outbox.PendingMessage;
import dev.outbox.PersistedMessage;
import dev.outbox.Store;
import dev.outbox.WakeUps;
import dev.outbox.spi.BatchOutcomes;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A client of an outbox, in this process or another. Checks what it is asked and leaves the rest to its session. */
public final class MemoryStore implements Store, Operations, Browsing, Finding, Holders, WakeUps {
    private final Session session;
    private volatile boolean closed;

    /** A client with a session of its own, which it closes. */
    public MemoryStore(Session session) {
        this.session = session;
    }

    @Override
    public MessageBatch checkout(Set<String> topics, int limit) {
        require(!topics.isEmpty(), "topics is empty; name at least one topic.");
        requireLimit(limit);
        return new Batch(session().checkout(topics, limit));
    }

    @Override
    public Capabilities capabilities() {
        return Capabilities.all();
    }

    @Override
    public void close() {
        closed = true;
        session.close();
    }

    private Session session() {
        require(!closed, "The store is closed; open another.");
        return session;
    }

    private static void requireLimit(int limit) {
        require(limit >= 1, "limit is " + limit + "; expected at least 1.");
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new MisuseException(otherwise);
        }
    }

    /** Remembers outcomes, and hands them over at close. */
    private final class Batch implements MessageBatch {
        private final long hold;
        private final BatchOutcomes outcomes;

        Batch(Session.Checkout checkout) {
            this.hold = checkout.hold();
            this.outcomes = new BatchOutcomes(checkout.messages());
        }

        @Override
        public List<PersistedMessage> messages() {
            return outcomes.messages();
        }

        @Override
        public boolean isHeld() {
            return outcomes.isOpen() && session.isHeld(hold);
        }

        @Override
        public void markPublished(PersistedMessage message, @Nullable String publishId) {
            outcomes.published(message, publishId);
        }

        @Override
        public void markFailed(PersistedMessage message, String reason, Duration retryAfter) {
            outcomes.failed(message, reason, retryAfter);
        }

        @Override
        public void deadLetter(PersistedMessage message, String reason) {
            outcomes.deadLettered(message, reason);
        }

        @Override
        public void close() {
            if (outcomes.close() && !messages().isEmpty()) {
                session.settle(hold, outcomes.applicable());
            }
        }
    }

    @Override
    public Subscription onWakeUp(Runnable listener) {
        return session().onWakeUp(listener);
    }

    @Override
    public List<Backlog> backlog() {
        return session().backlog();
    }

    @Override
    public List<FailingPartition> failingPartitions() {
        return session().failingPartitions();
    }

    @Override
    public boolean retryNow(String topic, int partition) {
        return session().retryNow(topic, partition);
    }

    @Override
    public int retryNow(String topic) {
        return session().retryNow(topic);
    }

    @Override
    public int removePending(String topic, int limit) {
        requireLimit(limit);
        return session().removePending(topic, limit);
    }

    @Override
    public int movePending(String topic, String toTopic, int toPartitions, int limit) {
        new OutgoingMessage(toTopic, 0, null, Map.of(), new byte[0]); // refuses what is no name of a topic
        require(!topic.equals(toTopic), "Both topics are " + topic + "; expected another to move messages to.");
        require(
                toPartitions >= 1 && toPartitions <= 10_000,
                "toPartitions is " + toPartitions + "; expected 1 to 10000, as of a topic.");
        requireLimit(limit);
        return session().movePending(topic, toTopic, toPartitions, limit);
    }

    @Override
    public List<DeadLetterTopic> deadLetterTopics() {
        return session().deadLetterTopics();
    }

    @Override
    public List<DeadLetter> deadLetters(String topic, @Nullable String afterId, int limit) {
        requireLimit(limit);
        return session().deadLetters(topic, afterId, limit);
    }

    @Override
    public Optional<DeadLetter> deadLetter(String id) {
        return session().deadLetter(id);
    }

    @Override
    public int redrive(Collection<String> ids) {
        return session().redrive(ids);
    }

    @Override
    public int discard(Collection<String> ids) {
        return session().discard(ids);
    }

    @Override
    public Page pending(String topic, @Nullable Integer partition, @Nullable String after, int limit) {
        requireLimit(limit);
        return session().pending(topic, partition, after, limit);
    }

    @Override
    public Optional<PendingMessage> pending(String id) {
        return session().pending(id);
    }

    @Override
    public List<Holder> holders() {
        return session().holders();
    }
}
