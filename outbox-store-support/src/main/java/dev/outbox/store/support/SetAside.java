package dev.outbox.store.support;

import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Partitions that are not tried for a while, because of something in them that this store cannot read: they must not
 * crowd out others, and are served soon after they are repaired. Safe for use by several threads.
 *
 * @param <P> a partition
 */
public final class SetAside<P> {
    private final Map<P, Long> until = new ConcurrentHashMap<>();
    private final long nanos;

    /**
     * Starts with none.
     *
     * @param time for how long a partition is not tried
     */
    public SetAside(Duration time) {
        this.nanos = time.toNanos();
    }

    /** Has it not tried, from now on. */
    public void add(P partition) {
        long now = System.nanoTime();
        until.values().removeIf(end -> now - end >= 0);
        until.put(partition, now + nanos);
    }

    /** Whether it is not to be tried. */
    public boolean contains(P partition) {
        Long end = until.get(partition);
        if (end != null && System.nanoTime() - end >= 0) {
            until.remove(partition, end);
            end = null;
        }
        return end != null;
    }
}
