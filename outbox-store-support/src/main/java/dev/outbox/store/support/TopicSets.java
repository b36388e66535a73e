package dev.outbox.store.support;

import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * What checkouts of the same set of topics share. Relays ask for few different sets; a client that asks for many pays
 * for making it again, and memory is bounded. Safe for use by several threads.
 *
 * @param <T> what they share
 */
public final class TopicSets<T> {
    private static final int MOST = 64;

    private final Map<Set<String>, T> known = new ConcurrentHashMap<>();
    private final Function<Set<String>, T> maker;
    private final Consumer<T> end;

    /**
     * Starts with none.
     *
     * @param maker makes what is shared for a set of topics that is asked for first
     * @param end is called with what is forgotten
     */
    public TopicSets(Function<Set<String>, T> maker, Consumer<T> end) {
        this.maker = maker;
        this.end = end;
    }

    /** What checkouts of these topics share. */
    public T of(Set<String> topics) {
        T found = known.get(topics);
        if (found != null) {
            return found;
        }
        if (known.size() >= MOST) {
            known.keySet().forEach(this::forget);
        }
        return known.computeIfAbsent(Set.copyOf(topics), maker);
    }

    private void forget(Set<String> topics) {
        T forgotten = known.remove(topics);
        if (forgotten != null) {
            end.accept(forgotten);
        }
    }

    /** Ends all of it, and keeps it. */
    public void endAll() {
        known.values().forEach(end);
    }
}
