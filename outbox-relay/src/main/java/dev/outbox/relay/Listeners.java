package dev.outbox.relay;

import dev.outbox.OutboxException;
import dev.outbox.OutboxListener;
import dev.outbox.PersistedMessage;
import dev.outbox.internal.Audience;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Tells listeners what the relay does. */
final class Listeners {
    private final Audience<OutboxListener> listeners;

    Listeners(List<OutboxListener> listeners) {
        this.listeners = new Audience<>(OutboxListener.class, listeners);
    }

    void checkedOut(int messages, int limit, long start) {
        listeners.tell(l -> l.checkedOut(new OutboxListener.CheckedOut(messages, limit, since(start))));
    }

    void published(PersistedMessage message, @Nullable String publishId, long start) {
        listeners.tell(l ->
                l.published(new OutboxListener.Published(message, publishId, message.attempts() + 1, since(start))));
    }

    void failed(PersistedMessage message, Throwable cause, String reason, Duration retryAfter, long start) {
        listeners.tell(l -> l.failed(
                new OutboxListener.Failed(message, message.attempts() + 1, cause, reason, retryAfter, since(start))));
    }

    void deadLettered(PersistedMessage message, Throwable cause, String reason, long start) {
        listeners.tell(l -> l.deadLettered(
                new OutboxListener.DeadLettered(message, message.attempts() + 1, cause, reason, since(start))));
    }

    void settled(OutboxListener.Settled event) {
        listeners.tell(l -> l.settled(event));
    }

    void storeFailed(OutboxListener.Step step, OutboxException error, long start) {
        listeners.tell(l -> l.storeFailed(new OutboxListener.StoreFailed(step, error, since(start))));
    }

    void setAside(OutboxListener.SetAside event) {
        listeners.tell(l -> l.setAside(event));
    }

    void leftOut(OutboxListener.LeftOut event) {
        listeners.tell(l -> l.leftOut(event));
    }

    /** For {@link #since}, as far as anybody will ask. */
    long now() {
        return listeners.isEmpty() ? 0 : System.nanoTime();
    }

    static Duration since(long start) {
        return Duration.ofNanos(System.nanoTime() - start);
    }
}
