package dev.outbox.store.support;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.function.IntUnaryOperator;

/**
 * The partitions of some topics that had messages when last looked for, in the order in which they are to be served:
 * whichever had its turn goes to the end, so that all come to be served (OBX-LIMIT-2). Safe for use by several threads.
 *
 * @param <P> a partition, with an {@code equals} that tells apart whatever a checkout has to tell apart
 */
public final class PartitionRotation<P> {
    /** The longest pause between two discoveries, in nanoseconds. */
    public static final long LONGEST_PAUSE = TimeUnit.SECONDS.toNanos(1);

    private static final long COMPANY = TimeUnit.SECONDS.toNanos(10);

    private final Pace pace;
    private final Set<P> known = new LinkedHashSet<>();
    private long nextDiscovery = System.nanoTime();
    private long companyUntil = System.nanoTime();

    /**
     * How a backend is dealt with.
     *
     * @param leastPause between two discoveries
     * @param pauseFactor how many times as long as a discovery took the pause after it is, up to a second; so a
     *     discovery takes no more than about such a part of the time, however slow it is
     * @param mostPartitions that a batch may hold
     * @param share the number of partitions that a checkout begins with, of the number that are ready, while others
     *     check out too
     */
    public record Pace(Duration leastPause, int pauseFactor, int mostPartitions, IntUnaryOperator share) {}

    /** Knows none. */
    public PartitionRotation(Pace pace) {
        this.pace = pace;
    }

    /** Whether to look for partitions even though some are known, so that those that were empty get their turn too. */
    public synchronized boolean isDiscoveryDue(long now) {
        return known.isEmpty() || now - nextDiscovery >= 0;
    }

    /** As {@link #isDiscoveryDue}; but of several threads one is told so, unless no partition is known. */
    public synchronized boolean beginDiscoveryIfDue() {
        long now = System.nanoTime();
        boolean due = isDiscoveryDue(now);
        if (due && !known.isEmpty()) {
            nextDiscovery = now + LONGEST_PAUSE;
        }
        return due;
    }

    /**
     * Takes over what a discovery found, which was all there is. Known partitions keep their turn.
     *
     * @param started when it began, by {@link System#nanoTime}
     * @param ended when it had ended
     */
    public synchronized void replace(Collection<P> found, long started, long ended) {
        known.retainAll(new HashSet<>(found));
        add(found, started, ended);
    }

    /** Takes over what a discovery found, which may not have been all there is. Known partitions keep their turn. */
    public synchronized void add(Collection<P> found, long started, long ended) {
        List<P> added = new ArrayList<>(new LinkedHashSet<>(found));
        added.removeIf(known::contains);
        // Other relays find the same: beginning elsewhere, they do not all try the same partitions first.
        Collections.rotate(added, ThreadLocalRandom.current().nextInt(Math.max(1, added.size())));
        known.addAll(added);
        long pause = Math.min(LONGEST_PAUSE, pace.pauseFactor * (ended - started));
        nextDiscovery = ended + Math.max(pace.leastPause.toNanos(), pause);
    }

    /** Forgets those that are in neither of the two. */
    public synchronized void retain(Collection<P> ready, Set<P> butNot) {
        Set<P> kept = new HashSet<>(ready);
        known.removeIf(partition -> !kept.contains(partition) && !butNot.contains(partition));
    }

    /**
     * All of them, those first whose turn is longest ago; those that the checkout begins with have had their turn with
     * this.
     */
    public synchronized List<P> nextTurn(int limit) {
        List<P> inOrder = new ArrayList<>(known);
        noteTurn(inOrder.subList(0, firstTake(inOrder.size(), limit)));
        return inOrder;
    }

    /** These have had their turn and come last now, as far as they are known. */
    public synchronized void noteTurn(Collection<P> tried) {
        for (P partition : tried) {
            if (known.remove(partition)) {
                known.add(partition);
            }
        }
    }

    /** These were to have their turn and found no place in the batch: they come first now. */
    public synchronized void noteNoTurn(Collection<P> tried) {
        if (!tried.isEmpty()) {
            List<P> others = new ArrayList<>(known);
            others.removeAll(new HashSet<>(tried));
            known.clear();
            known.addAll(tried);
            known.addAll(others);
        }
    }

    /**
     * With how many partitions a checkout begins: alone, with all of them, if each can have a place; in company, with a
     * share, which leaves work to others. Never with more than a batch may hold: what has had its turn goes to the end,
     * and if all went there, the same ones would be first forever.
     */
    public synchronized int firstTake(int all, int limit) {
        int wanted = isAlone() && all <= limit ? all : Math.max(1, pace.share.applyAsInt(all));
        return Math.min(Math.min(all, wanted), Math.min(limit, pace.mostPartitions));
    }

    /** Whether the next checkout, alone, would begin with just these: they are all that are known. */
    public synchronized boolean areAll(Collection<P> held, int limit) {
        return held.size() == known.size()
                && held.size() <= Math.min(limit, pace.mostPartitions)
                && known.containsAll(held);
    }

    /** Whether no other batch was seen to be open lately. */
    public synchronized boolean isAlone() {
        return System.nanoTime() - companyUntil >= 0;
    }

    /** Another batch was seen to be open; it will hardly have been the last. */
    public synchronized void noteCompany() {
        companyUntil = System.nanoTime() + COMPANY;
    }

    /** There is nothing to be had of it now; the next discovery may find it again. */
    public synchronized void remove(P partition) {
        known.remove(partition);
    }
}
