package dev.outbox.tck.memory;

import dev.outbox.Browsing;
import dev.outbox.Capabilities;
import dev.outbox.DeadLetter;
import dev.outbox.Finding;
import dev.outbox.Holders;
import dev.outbox.MessageBatch;
import dev.outbox.Operations;
import dev.outbox.PendingMessage;
import dev.outbox.Store;
import dev.outbox.WakeUps;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A client that passes everything on, to be wrong in one place. */
class PassingStore implements Store, Operations, Browsing, Finding, Holders, WakeUps {
    private final Store real;

    PassingStore(Store real) {
        this.real = real;
    }

    /** What becomes of a batch that was checked out. */
    MessageBatch batch(MessageBatch batch) {
        return batch;
    }

    @Override
    public MessageBatch checkout(Set<String> topics, int limit) {
        return batch(real.checkout(topics, limit));
    }

    @Override
    public Capabilities capabilities() {
        return real.capabilities();
    }

    @Override
    public void close() {
        real.close();
    }

    @Override
    public Subscription onWakeUp(Runnable listener) {
        return WakeUps.of(real).onWakeUp(listener);
    }

    @Override
    public List<Backlog> backlog() {
        return Operations.of(real).backlog();
    }

    @Override
    public List<FailingPartition> failingPartitions() {
        return Operations.of(real).failingPartitions();
    }

    @Override
    public boolean retryNow(String topic, int partition) {
        return Operations.of(real).retryNow(topic, partition);
    }

    @Override
    public int retryNow(String topic) {
        return Operations.of(real).retryNow(topic);
    }

    @Override
    public int removePending(String topic, int limit) {
        return Operations.of(real).removePending(topic, limit);
    }

    @Override
    public int movePending(String topic, String toTopic, int toPartitions, int limit) {
        return Operations.of(real).movePending(topic, toTopic, toPartitions, limit);
    }

    @Override
    public List<DeadLetterTopic> deadLetterTopics() {
        return Operations.of(real).deadLetterTopics();
    }

    @Override
    public List<DeadLetter> deadLetters(String topic, @Nullable String afterId, int limit) {
        return Operations.of(real).deadLetters(topic, afterId, limit);
    }

    @Override
    public Optional<DeadLetter> deadLetter(String id) {
        return Operations.of(real).deadLetter(id);
    }

    @Override
    public int redrive(Collection<String> ids) {
        return Operations.of(real).redrive(ids);
    }

    @Override
    public int discard(Collection<String> ids) {
        return Operations.of(real).discard(ids);
    }

    @Override
    public Page pending(String topic, @Nullable Integer partition, @Nullable String after, int limit) {
        return Browsing.of(real).pending(topic, partition, after, limit);
    }

    @Override
    public Optional<PendingMessage> pending(String id) {
        return Finding.of(real).pending(id);
    }

    @Override
    public List<Holder> holders() {
        return Holders.of(real).holders();
    }
}
