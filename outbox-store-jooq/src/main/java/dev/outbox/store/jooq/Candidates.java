package dev.outbox.store.jooq;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;

/**
 * The partitions of some topics that had messages when last looked for, in the order in which they are to be served.
 * Safe for use by several threads.
 */
final class Candidates {
    /** Of one batch. Every partition is a lock, and a server has a table of them that all its clients share. */
    static final int MOST_PARTITIONS = 500;

    private static final long LEAST_PAUSE = TimeUnit.MILLISECONDS.toNanos(100);
    private static final long LONGEST_PAUSE = TimeUnit.SECONDS.toNanos(1);
    private static final long COMPANY = TimeUnit.SECONDS.toNanos(10);

    private final Map<Integer, Candidate> byId = new LinkedHashMap<>();
    private long nextDiscovery = System.nanoTime();
    private long companyUntil = System.nanoTime();

    /** Whether to look for partitions even though some are known, so that those that were empty get their turn too. */
    synchronized boolean isDiscoveryDue(long now) {
        return byId.isEmpty() || now - nextDiscovery >= 0;
    }

    /**
     * Takes over what a discovery found. Known partitions keep their turn. The next one is due after twenty times what
     * this one took, so that even a discovery made slow by dead rows takes no more than about a twentieth of the time.
     */
    synchronized void replace(Collection<Candidate> found, long started, long ended) {
        Map<Integer, Candidate> foundById = new LinkedHashMap<>();
        found.forEach(candidate -> foundById.put(candidate.id(), candidate));
        // An id may stand for another partition than it did: the tables were emptied, or restored.
        byId.entrySet().removeIf(known -> !known.getValue().equals(foundById.get(known.getKey())));
        foundById.keySet().removeAll(byId.keySet());
        List<Candidate> added = new ArrayList<>(foundById.values());
        // Other relays find the same: beginning elsewhere, they do not all try the same partitions first.
        Collections.rotate(added, ThreadLocalRandom.current().nextInt(Math.max(1, added.size())));
        added.forEach(candidate -> byId.put(candidate.id(), candidate));
        nextDiscovery = ended + Math.max(LEAST_PAUSE, Math.min(LONGEST_PAUSE, 20 * (ended - started)));
    }

    /**
     * All of them, those first whose turn is longest ago; those that the checkout begins with have had their turn with
     * this.
     */
    synchronized List<Candidate> nextTurn(int limit) {
        List<Candidate> inOrder = new ArrayList<>(byId.values());
        for (Candidate candidate : inOrder.subList(0, firstTake(inOrder.size(), limit))) {
            byId.remove(candidate.id());
            byId.put(candidate.id(), candidate);
        }
        return inOrder;
    }

    /**
     * With how many partitions a checkout begins. Alone, with all of them, if each can have a place. In company, with as
     * many as the square root of all, which leaves work to others and still takes few batches for many partitions. Never
     * with more than a batch may hold, or the others would never get a turn.
     */
    synchronized int firstTake(int all, int limit) {
        int wanted = isAlone() && all <= limit ? all : Math.min(limit, (int) Math.ceil(Math.sqrt(all)));
        return Math.min(wanted, MOST_PARTITIONS);
    }

    /** Whether no other batch was seen to be open lately. */
    synchronized boolean isAlone() {
        return System.nanoTime() - companyUntil >= 0;
    }

    /** Another batch was seen to be open; it will hardly have been the last. */
    synchronized void noteCompany() {
        companyUntil = System.nanoTime() + COMPANY;
    }

    /** The budget of a batch was spent: partitions without a place have the next turn, partitions with one the last. */
    synchronized void noteTurns(Collection<Candidate> passedOver, Collection<Candidate> served) {
        Map<Integer, Candidate> inTurn = new LinkedHashMap<>();
        passedOver.forEach(candidate -> inTurn.put(candidate.id(), candidate));
        byId.forEach(inTurn::putIfAbsent);
        for (Candidate candidate : served) {
            inTurn.remove(candidate.id());
            inTurn.put(candidate.id(), candidate);
        }
        inTurn.keySet().retainAll(byId.keySet());
        byId.clear();
        byId.putAll(inTurn);
    }

    /** Nothing was found in it; the next discovery may find it again. */
    synchronized void remove(Candidate candidate) {
        byId.remove(candidate.id());
    }
}
