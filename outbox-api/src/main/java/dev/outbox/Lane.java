package dev.outbox;

import java.util.ArrayList;
import java.util.List;

/** The messages of one partition in a batch, and how far they have come. Used by one thread, which others may only stop. */
final class Lane<T> {
    record Key(String topic, int partition) {}

    final Topic<T> topic;
    private final int partition;
    private final List<PersistedMessage> messages = new ArrayList<>();
    private int next;
    private int inFlight;
    private volatile boolean stopped;

    Lane(Topic<T> topic, int partition) {
        this.topic = topic;
        this.partition = partition;
    }

    boolean takes(PersistedMessage message) {
        return partition == message.partition() && topic.name().equals(message.topic());
    }

    void add(PersistedMessage message) {
        messages.add(message);
    }

    /** Whether the next message may be started, as far as this partition is concerned. */
    boolean isReady() {
        return !stopped && next < messages.size() && inFlight < topic.inFlight();
    }

    PersistedMessage start() {
        inFlight++;
        return messages.get(next++);
    }

    void finished() {
        inFlight--;
    }

    /** A message was not published and stays, so nothing behind it may be started; on any thread, the sooner the better. */
    void stop() {
        stopped = true;
    }
}
