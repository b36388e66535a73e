package dev.outbox.relay;

import dev.outbox.PersistedMessage;
import dev.outbox.Topic;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The messages of one partition in a batch, and how far they have come. Used by one thread, which others may only stop.
 */
final class PartitionQueue<T> {
    final Partition partition;
    final Route<T> route;
    final Topic<T> topic;
    private final List<PersistedMessage> messages = new ArrayList<>();
    private int next;
    private int inFlight;
    private volatile boolean stopped;

    /** A failure of it has been counted against its broker, which is once in a batch, however many are in flight. */
    boolean blamed;

    /** A helper is in the publisher for this partition, so the next message must wait even if more may be in flight. */
    boolean inCall;

    PartitionQueue(Route<T> route, Partition partition) {
        this.route = route;
        this.topic = route.topic;
        this.partition = partition;
    }

    boolean takes(PersistedMessage message) {
        return partition.number() == message.partition() && partition.topic().equals(message.topic());
    }

    void add(PersistedMessage message) {
        messages.add(message);
    }

    Set<String> ids() {
        Set<String> ids = new HashSet<>();
        messages.forEach(message -> ids.add(message.id()));
        return ids;
    }

    PersistedMessage head() {
        return messages.get(0);
    }

    /** Whether the next message may be started, as far as this partition is concerned. */
    boolean isReady() {
        return !stopped && !inCall && next < messages.size() && inFlight < topic.inFlight();
    }

    /** Whether no more of it is started. */
    boolean isOver() {
        return stopped || next == messages.size();
    }

    PersistedMessage peek() {
        return messages.get(next);
    }

    PersistedMessage start() {
        inFlight++;
        return messages.get(next++);
    }

    void finished() {
        inFlight--;
    }

    /**
     * A message was not published and stays, so no later one may be started. On any thread, and as soon as possible.
     */
    void stop() {
        stopped = true;
    }
}
