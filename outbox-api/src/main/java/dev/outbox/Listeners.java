package dev.outbox;

import java.time.Duration;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Tells listeners, and keeps what they throw away from everybody else. */
final class Listeners {
    private static final Logger LOG = LoggerFactory.getLogger(OutboxListener.class);

    private final List<OutboxListener> listeners;

    private Listeners(List<OutboxListener> listeners) {
        this.listeners = listeners;
    }

    static Listeners of(OutboxListener listener) {
        return new Listeners(List.of(listener));
    }

    static Listeners of(List<OutboxListener> listeners) {
        return new Listeners(List.copyOf(listeners));
    }

    void persisted(OutgoingMessage message, String id, long start) {
        tell(l -> l.persisted(new OutboxListener.Persisted(message, id, since(start))));
    }

    void checkedOut(int messages, int limit, long start) {
        tell(l -> l.checkedOut(new OutboxListener.CheckedOut(messages, limit, since(start))));
    }

    void published(PersistedMessage message, @Nullable String publishId, long start) {
        tell(l -> l.published(new OutboxListener.Published(message, publishId, message.attempts() + 1, since(start))));
    }

    void failed(PersistedMessage message, Throwable cause, String reason, Duration retryAfter, long start) {
        tell(l -> l.failed(
                new OutboxListener.Failed(message, message.attempts() + 1, cause, reason, retryAfter, since(start))));
    }

    void deadLettered(PersistedMessage message, Throwable cause, String reason, long start) {
        tell(l -> l.deadLettered(
                new OutboxListener.DeadLettered(message, message.attempts() + 1, cause, reason, since(start))));
    }

    void settled(OutboxListener.Settled event) {
        tell(l -> l.settled(event));
    }

    void storeFailed(OutboxListener.Step step, OutboxException error, long start) {
        tell(l -> l.storeFailed(new OutboxListener.StoreFailed(step, error, since(start))));
    }

    void setAside(OutboxListener.SetAside event) {
        tell(l -> l.setAside(event));
    }

    void leftOut(OutboxListener.LeftOut event) {
        tell(l -> l.leftOut(event));
    }

    /** For {@link #since}, as far as anybody will ask. */
    long now() {
        return listeners.isEmpty() ? 0 : System.nanoTime();
    }

    static Duration since(long start) {
        return Duration.ofNanos(System.nanoTime() - start);
    }

    private void tell(Consumer<OutboxListener> event) {
        for (OutboxListener listener : listeners) {
            try {
                event.accept(listener);
            } catch (Throwable e) {
                try {
                    LOG.warn("Listener {} failed; the outbox goes on without it having seen this", listener, e);
                } catch (Throwable again) {
                    // Nor must a logger, or the listener's name, do any harm.
                }
            }
        }
    }
}
