package dev.outbox.store.mongo;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.bson.types.ObjectId;

/**
 * Partitions that were taken by one statement, and until when this process may rely on having them. The fence is a value
 * that no other claim ever has: a partition whose document does not show it any more is somebody else's.
 *
 * <p>Safe for use by several threads. Its monitor is held while its partitions are renewed or released, so that these do
 * not take each other's work for that of another process.
 */
final class Claim {
    final ObjectId fence = new ObjectId();
    private final Set<Lane> lanes = new TreeSet<>();
    private final long trust;
    private volatile long trustedUntil;
    private volatile boolean lost;

    /**
     * @param trust for how many nanoseconds from before the claim was sent it may be relied on
     */
    Claim(Collection<Lane> lanes, long trust) {
        this.lanes.addAll(lanes);
        this.trust = trust;
        this.trustedUntil = System.nanoTime() + trust;
    }

    /**
     * Counted from before the claim, or its last renewal, was sent, on a clock that nobody sets: a process that was paused
     * finds, when it wakes, that the time is over.
     */
    boolean isTrusted() {
        return !lost && System.nanoTime() - trustedUntil < 0;
    }

    void renewed(long sent) {
        trustedUntil = sent + trust;
    }

    void lose() {
        lost = true;
    }

    synchronized void drop(Collection<Lane> gone) {
        lanes.removeAll(gone);
    }

    synchronized void keepOnly(Collection<Lane> kept) {
        lanes.retainAll(kept);
    }

    synchronized List<Lane> lanes() {
        return new ArrayList<>(lanes);
    }
}
