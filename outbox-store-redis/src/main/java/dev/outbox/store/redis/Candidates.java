package dev.outbox.store.redis;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/**
 * The partitions of some topics in one place that were ready when last looked for, in the order in which they are to be
 * served. Safe for use by several threads.
 */
final class Candidates {
    private static final long LEAST_PAUSE = TimeUnit.MILLISECONDS.toNanos(100);
    static final long LONGEST_PAUSE = TimeUnit.SECONDS.toNanos(1);
    private static final long COMPANY = TimeUnit.SECONDS.toNanos(10);

    private final Set<Partition> known = new LinkedHashSet<>();
    private String cursor = Double.toString(ThreadLocalRandom.current().nextDouble());
    private long nextDiscovery = System.nanoTime();
    private long companyUntil = System.nanoTime();

    /** Whether to look for partitions even though some are known, so that those that were empty get their turn too. */
    synchronized boolean isDiscoveryDue(long now) {
        return known.isEmpty() || now - nextDiscovery >= 0;
    }

    /** Where the next discovery begins, if there are more than it looks at. */
    synchronized String cursor() {
        return cursor;
    }

    /** Forgets those that are not among all that are ready now. */
    synchronized void retain(Collection<Partition> ready, Set<Partition> butNot) {
        Set<Partition> kept = new HashSet<>(ready);
        known.removeIf(partition -> !kept.contains(partition) && !butNot.contains(partition));
    }

    /**
     * Adds what a discovery found; those that are known keep their turn. The next one is due after ten times what this one
     * took, so that it takes no more than about a tenth of the time.
     *
     * @param next where that begins
     */
    synchronized void add(Collection<Partition> found, String next, long started, long ended) {
        cursor = next;
        List<Partition> added = new ArrayList<>(found);
        added.removeAll(known);
        // Other relays find the same: beginning elsewhere, they do not all try the same partitions first.
        Collections.rotate(added, ThreadLocalRandom.current().nextInt(Math.max(1, added.size())));
        known.addAll(added);
        nextDiscovery = ended + Math.max(LEAST_PAUSE, Math.min(LONGEST_PAUSE, 10 * (ended - started)));
    }

    /**
     * All of them, those first whose turn is longest ago; those that the checkout begins with have had their turn with
     * this.
     */
    synchronized List<Partition> nextTurn(int limit) {
        List<Partition> inOrder = new ArrayList<>(known);
        List<Partition> first = inOrder.subList(0, firstTake(inOrder.size(), limit));
        first.forEach(known::remove);
        known.addAll(first);
        return inOrder;
    }

    /**
     * With how many partitions a checkout begins. Alone, with all of them, if each can have a place. In company, with as
     * many as the square root of all, which leaves work to others and still takes few batches for many partitions
     * (decision 8).
     */
    synchronized int firstTake(int all, int limit) {
        // No more than a batch can hold, because what has had its turn goes to the end: if all went there, the same
        // would be first for ever.
        int most = Math.min(limit, Checkout.MOST_PARTITIONS);
        if (!isInCompany()) {
            return Math.min(most, all <= limit ? all : root(all));
        }
        return Math.min(most, Math.min(root(all), Math.max(1, all - 1))); // of two, one is for others
    }

    private static int root(int all) {
        return (int) Math.ceil(Math.sqrt(all));
    }

    /** These have had their turn, and are behind all others now. */
    synchronized void noteTurn(List<Partition> taken) {
        for (Partition partition : taken) {
            if (known.remove(partition)) {
                known.add(partition);
            }
        }
    }

    /** These found no place in a batch, and are before all others now. */
    synchronized void noteNoTurn(List<Partition> some) {
        if (!some.isEmpty()) {
            List<Partition> others = new ArrayList<>(known);
            others.removeAll(new HashSet<>(some));
            known.clear();
            known.addAll(some);
            known.addAll(others);
        }
    }

    /** Whether a checkout of so many, alone, would begin with these partitions, and with no others. */
    synchronized boolean areAll(List<Held> partitions, int limit) {
        if (partitions.size() != known.size() || partitions.size() > Math.min(limit, Checkout.MOST_PARTITIONS)) {
            return false;
        }
        for (Held held : partitions) {
            if (!known.contains(held.partition)) {
                return false;
            }
        }
        return true;
    }

    /** Whether there was another open batch lately. */
    synchronized boolean isInCompany() {
        return System.nanoTime() - companyUntil < 0;
    }

    /** Another batch was seen to be open; it will hardly have been the last. */
    synchronized void noteCompany() {
        companyUntil = System.nanoTime() + COMPANY;
    }

    /** It was not ready; a discovery finds it again when it is. */
    synchronized void remove(Partition partition) {
        known.remove(partition);
    }
}
