package dev.outbox.relay;

import dev.outbox.OutboxException;
import dev.outbox.OutboxListener;
import dev.outbox.PersistedMessage;
import dev.outbox.Topic;
import dev.outbox.internal.Audience;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Tells listeners what the relay does. Those of the relay are told of everything. Those of a topic are told of its
 * messages, and of what concerns no single topic. Each is told once. Safe for use by several threads.
 */
final class Listeners {
    private final Audience<OutboxListener> ofRelay;

    // Replaced by one thread at a time, never changed.
    private volatile Audience<OutboxListener> all;
    private volatile Map<String, Audience<OutboxListener>> ofTopics = Map.of();

    Listeners(List<OutboxListener> ofRelay) {
        this.ofRelay = Audience.of(OutboxListener.class, ofRelay);
        this.all = this.ofRelay;
    }

    /** Those of a topic that the relay serves from now on. */
    synchronized void add(Topic<?> topic) {
        Map<String, Audience<OutboxListener>> more = new HashMap<>(ofTopics);
        more.put(topic.name(), ofRelay.with(topic.listeners()));
        ofTopics = Map.copyOf(more);
        all = all.with(topic.listeners());
    }

    private Audience<OutboxListener> of(String topic) {
        return ofTopics.getOrDefault(topic, all);
    }

    void checkedOut(int messages, int limit, long start) {
        all.tell(l -> l.checkedOut(new OutboxListener.CheckedOut(messages, limit, since(start))));
    }

    /** Whether there are any, of the relay or of a topic. */
    boolean areThere() {
        return !all.isEmpty();
    }

    void published(PersistedMessage message, @Nullable String publishId, long tookNanos) {
        if (!areThere()) {
            return;
        }
        of(message.topic())
                .tell(l -> l.published(new OutboxListener.Published(
                        message, publishId, message.attempts() + 1, Duration.ofNanos(tookNanos))));
    }

    void failed(PersistedMessage message, Throwable cause, String reason, Duration retryAfter, long tookNanos) {
        of(message.topic())
                .tell(l -> l.failed(new OutboxListener.Failed(
                        message, message.attempts() + 1, cause, reason, retryAfter, Duration.ofNanos(tookNanos))));
    }

    void deadLettered(PersistedMessage message, Throwable cause, String reason, long tookNanos) {
        of(message.topic())
                .tell(l -> l.deadLettered(new OutboxListener.DeadLettered(
                        message, message.attempts() + 1, cause, reason, Duration.ofNanos(tookNanos))));
    }

    void settled(OutboxListener.Settled event) {
        all.tell(l -> l.settled(event));
    }

    void storeFailed(OutboxListener.Step step, OutboxException error, long start) {
        all.tell(l -> l.storeFailed(new OutboxListener.StoreFailed(step, error, since(start))));
    }

    void setAside(OutboxListener.SetAside event) {
        of(event.topic()).tell(l -> l.setAside(event));
    }

    void misplaced(OutboxListener.Misplaced event) {
        of(event.message().topic()).tell(l -> l.misplaced(event));
    }

    void leftOut(OutboxListener.LeftOut event) {
        of(event.topic()).tell(l -> l.leftOut(event));
    }

    static Duration since(long start) {
        return Duration.ofNanos(System.nanoTime() - start);
    }
}
