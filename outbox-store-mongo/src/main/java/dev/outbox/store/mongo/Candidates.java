package dev.outbox.store.mongo;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/**
 * The partitions of some topics that had messages and were free when last looked for, in the order in which they are to
 * be served. Safe for use by several threads.
 */
final class Candidates {
    private static final long LEAST_PAUSE = TimeUnit.MILLISECONDS.toNanos(50);
    private static final long LONGEST_PAUSE = TimeUnit.SECONDS.toNanos(1);
    private static final long COMPANY = TimeUnit.SECONDS.toNanos(10);

    private static final long ASIDE = TimeUnit.SECONDS.toNanos(5);

    private final Set<Lane> lanes = new LinkedHashSet<>();
    private final Map<Lane, Long> aside = new HashMap<>();
    private long nextDiscovery = System.nanoTime();
    private long companyUntil = System.nanoTime();

    /**
     * Whether to look for partitions even though some are known, so that others get their turn too. Of several threads one
     * is told so, unless none is known.
     */
    synchronized boolean beginDiscoveryIfDue() {
        long now = System.nanoTime();
        if (lanes.isEmpty()) {
            return true;
        }
        if (now - nextDiscovery < 0) {
            return false;
        }
        nextDiscovery = now + LONGEST_PAUSE;
        return true;
    }

    /**
     * Takes over what a discovery found. Known partitions keep their turn. The next one is due after thirty times what this
     * one took, but after a second at the latest.
     */
    synchronized void replace(Collection<Lane> found, long started, long ended) {
        lanes.retainAll(new HashSet<>(found));
        List<Lane> added = new ArrayList<>(found);
        added.removeAll(lanes);
        // Other relays find the same: beginning elsewhere, they do not all try the same partitions first.
        Collections.rotate(added, ThreadLocalRandom.current().nextInt(Math.max(1, added.size())));
        lanes.addAll(added);
        nextDiscovery = ended + Math.max(LEAST_PAUSE, Math.min(LONGEST_PAUSE, 30 * (ended - started)));
    }

    /**
     * All of them, those first whose turn is longest ago; those that the checkout begins with have had their turn with
     * this.
     */
    synchronized List<Lane> nextTurn(int limit) {
        List<Lane> inOrder = new ArrayList<>(lanes);
        hadTheirTurn(inOrder.subList(0, firstTake(inOrder.size(), limit)));
        return inOrder;
    }

    /** These come last from now on, as far as they are known. */
    synchronized void hadTheirTurn(List<Lane> tried) {
        for (Lane lane : tried) {
            if (lanes.remove(lane)) {
                lanes.add(lane);
            }
        }
    }

    /**
     * With how many partitions a checkout begins. Alone, with all of them, if each can have a place and a batch can hold as
     * many; if more than that had their turn with it, the same ones would be first for ever. In company, with as
     * many as the square root of all, which leaves work to others and still takes few batches for many partitions. It is
     * rounded down: where a batch takes as long as it does here, two relays had better share two partitions.
     */
    synchronized int firstTake(int all, int limit) {
        boolean alone = System.nanoTime() - companyUntil >= 0;
        int few = alone && all <= limit ? all : Math.max(1, (int) Math.sqrt(all));
        return Math.min(few, Math.min(Math.min(all, limit), Checkout.MOST_PARTITIONS));
    }

    /** Another batch was seen to be open; it will hardly have been the last. */
    synchronized void noteCompany() {
        companyUntil = System.nanoTime() + COMPANY;
    }

    /** It begins with a message that cannot be read: for a while it is not tried again, so that it does not crowd out others. */
    synchronized void setAside(Lane lane) {
        aside.put(lane, System.nanoTime() + ASIDE);
    }

    synchronized boolean isSetAside(Lane lane) {
        Long until = aside.get(lane);
        if (until != null && System.nanoTime() - until >= 0) {
            aside.remove(lane);
            until = null;
        }
        return until != null;
    }

    /** Whether the next checkout would be of just these: they are all there is, and nobody else takes any. */
    synchronized boolean areNext(Collection<Lane> held, int limit) {
        long now = System.nanoTime();
        return now - nextDiscovery < 0
                && now - companyUntil >= 0
                && lanes.size() <= limit
                && lanes.size() == held.size()
                && lanes.containsAll(held);
    }

    /** There is nothing to be had of it now; the next discovery may find it again. */
    synchronized void remove(Lane lane) {
        lanes.remove(lane);
    }
}
