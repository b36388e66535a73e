package dev.outbox.store.mongo;

import dev.outbox.store.support.LeaseClock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.bson.types.ObjectId;

/**
 * Partitions that were taken by one statement, and until when this process may rely on having them. The fence is a
 * value that no other claim ever has: a partition whose document no longer shows it has another holder.
 *
 * <p>Safe for use by several threads.
 */
final class Hold {
    final ObjectId fence = new ObjectId();
    private final List<Partition> asked;
    private final Set<Partition> partitions;
    private final Duration trust;
    private LeaseClock counted = LeaseClock.now();
    private volatile boolean lost;

    /**
     * @param trust for how long from before the claim was sent it may be relied on
     */
    Hold(Collection<Partition> partitions, Duration trust) {
        this.asked = List.copyOf(partitions);
        this.partitions = new TreeSet<>(partitions);
        this.trust = trust;
    }

    /**
     * Counted from before the claim, or its last renewal, was sent, because the answer may take any time: a process
     * that was paused, or whose machine was, finds when it wakes that the time is over. Once it may not be relied on, a
     * renewal whose answer comes late changes nothing.
     */
    boolean isTrusted() {
        if (trustLeft().isNegative()) {
            lost = true;
        }
        return !lost;
    }

    /** For how long it may still be relied on; negative if it may not. */
    synchronized Duration trustLeft() {
        return trust.minus(counted.age());
    }

    /** Renewals may end in another order than they began. */
    synchronized void renewed(LeaseClock sent) {
        if (sent.isAfter(counted)) {
            counted = sent;
        }
    }

    void lose() {
        lost = true;
    }

    /** To be called before these are given back, so that a renewal that misses them can tell why. */
    synchronized void drop(Collection<Partition> gone) {
        partitions.removeAll(gone);
    }

    synchronized void keepOnly(Collection<Partition> kept) {
        partitions.retainAll(kept);
    }

    /** Those it has. */
    synchronized List<Partition> partitions() {
        return new ArrayList<>(partitions);
    }

    /** All that it may ever have had: whether the claim took effect at all may be unknown. */
    List<Partition> asked() {
        return asked;
    }
}
