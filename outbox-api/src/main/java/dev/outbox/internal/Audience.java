package dev.outbox.internal;

import java.util.List;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Those who are told of events. What they throw is logged and harms nobody else. Immutable.
 *
 * @param <L> what they are
 */
public final class Audience<L> {
    private final Logger log;
    private final List<L> listeners;

    /** The logger is named after the type. */
    public Audience(Class<L> type, List<? extends L> listeners) {
        this.log = LoggerFactory.getLogger(type);
        this.listeners = List.copyOf(listeners);
    }

    /** Whether nobody listens. */
    public boolean isEmpty() {
        return listeners.isEmpty();
    }

    /** Tells each of them. */
    public void tell(Consumer<L> event) {
        for (L listener : listeners) {
            try {
                event.accept(listener);
            } catch (Throwable e) {
                try {
                    log.warn("Listener {} failed; the outbox goes on without it having seen this", listener, e);
                } catch (Throwable again) {
                    // Nor must a logger, or the listener's name, do any harm.
                }
            }
        }
    }
}
