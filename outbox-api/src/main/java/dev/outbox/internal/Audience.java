package dev.outbox.internal;

import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * Those who are told of events. What they throw is logged and harms nobody else. Immutable.
 *
 * @param <L> what they are
 */
public final class Audience<L> {
    private final Log log;
    private final List<L> listeners;

    private Audience(Log log, List<L> listeners) {
        this.log = log;
        this.listeners = listeners;
    }

    /** Each of them once. The logger is named after the type. */
    public static <L> Audience<L> of(Class<L> type, List<? extends L> listeners) {
        return new Audience<L>(Log.of(type).sparing(), List.of()).with(listeners);
    }

    /** These, and more; each of them once. */
    public Audience<L> with(List<? extends L> more) {
        List<L> all = new ArrayList<>(listeners);
        for (L listener : more) {
            if (all.stream().noneMatch(other -> other == listener)) {
                all.add(listener);
            }
        }
        return new Audience<>(log, List.copyOf(all));
    }

    /** Whether there is nobody to tell. */
    public boolean isEmpty() {
        return listeners.isEmpty();
    }

    /** Tells each of them. */
    public void tell(Consumer<L> event) {
        for (L listener : listeners) {
            try {
                event.accept(listener);
            } catch (Throwable e) {
                log.warn(
                        "[OUTBOX-001] Listener {} failed; the outbox goes on without it having seen this", listener, e);
            }
        }
    }
}
