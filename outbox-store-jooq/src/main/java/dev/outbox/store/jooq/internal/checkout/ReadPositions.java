package dev.outbox.store.jooq.internal.checkout;

import dev.outbox.store.jooq.internal.partition.Partition;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * Up to which row every message of a partition was settled, as far as this store has seen. A database keeps the dead
 * entries of deleted rows at the head of the index for as long as any transaction might see them; reading behind the
 * hint spares walking through them at every checkout.
 *
 * <p>Why nothing is lost or overtaken by it: a hint never decides what is deleted, only where a read begins, and it never
 * passes the {@link LowWatermark} of before the read that it comes from. So up to the hint no message could appear any more, that
 * read has seen all there were, and we have settled them. What is above is read every time: a transaction that got a lower
 * id and commits late is found at once, in front of all that were written later. A redriven message has a new, higher id.
 *
 * <p>All the same a hint is used only while looking from the start is slow and dead entries can be the reason, and for
 * {@link #LONGEST_USE} at most: rows that somebody adds by hand, with ids of his own, are found too. So are those that a
 * server brings back which has lost what it had confirmed: an error of the connection, which a change of servers is, ends all
 * hints.
 *
 * <p>A hint of a partition is only changed by the batch that holds it. Safe for use by several threads.
 */
public final class ReadPositions {
    private static final long LONGEST_USE = TimeUnit.SECONDS.toNanos(10);

    /** How many times as long as it took, looking from the start is not done again: it costs a twentieth of the time. */
    private static final int REST = 20;

    /** For how long after a slow look the floor is asked for. */
    private static final long WANTED = TimeUnit.SECONDS.toNanos(2);

    /** What a query may take without being called slow: for itself, and for every message. */
    static final long GRACE = TimeUnit.MICROSECONDS.toNanos(300);

    private static final long GRACE_PER_MESSAGE = TimeUnit.MICROSECONDS.toNanos(3);

    /** Fewer dead entries than this make no read slow: it is the machine that is busy. */
    private static final int LEAST_DEAD = 2_000;

    /**
     * @param settledUpTo the last row below and at which nothing is left
     * @param useUntil when to read from the start again
     * @param dead how many messages were settled since a read from the start was last seen to be fast; as good as many, if none was
     */
    private record Hint(long settledUpTo, long useUntil, int dead) {}

    private final Map<Partition, Hint> hints = new ConcurrentHashMap<>();
    private volatile long wantedUntil = System.nanoTime();

    /** Whether hints are of use now, so that it is worth while to ask for the floor. */
    boolean areWanted(long now) {
        return now - wantedUntil < 0;
    }

    /** Behind which row to start reading: 0 is the start. */
    public long start(Partition partition, long now) {
        Hint hint = hints.get(partition);
        return hint == null || now - hint.useUntil >= 0 ? 0 : hint.settledUpTo;
    }

    /** Up to which row all is settled, of the partitions whose hints are of use now. */
    Map<Partition, Long> settled(long now) {
        Map<Partition, Long> settled = new HashMap<>();
        hints.forEach((partition, hint) -> {
            if (hint.settledUpTo > 0 && now - hint.useUntil < 0) {
                settled.put(partition, hint.settledUpTo);
            }
        });
        return settled;
    }

    /**
     * Notes that partitions were looked for from their starts, except behind what was {@link #settled}. Those in which nothing
     * was found are empty, and dead entries may be what made it slow, so for a while they are passed over again. The others are
     * read from their starts before they are.
     */
    void lookedFor(
            Collection<String> topics, Set<Partition> found, Map<Partition, Long> passedOver, long took, long ended) {
        long tooLong = Math.max(0, took - graceOf(found.size()));
        if (tooLong > 0) {
            hints.replaceAll((partition, hint) -> hint.dead < LEAST_DEAD
                            || !topics.contains(partition.topic())
                            || passedOver.containsKey(partition)
                            || found.contains(partition)
                    ? hint
                    : new Hint(hint.settledUpTo, ended + rest(tooLong), hint.dead));
        }
    }

    /** What a query may take that finds so much. */
    static long graceOf(int messages) {
        return GRACE + messages * GRACE_PER_MESSAGE;
    }

    private static long rest(long tooLong) {
        return Math.min(LONGEST_USE, REST * tooLong);
    }

    /** Forgets everything: a commit may or may not have taken effect, or the server may be another one. */
    public void forgetAll() {
        hints.clear();
    }

    /** Notes how long a read from the start took. */
    public void readFromStart(Partition partition, int messages, long took, long ended) {
        long tooLong = Math.max(0, took - graceOf(messages));
        // What others have settled before is unknown, and may be what makes the first read slow.
        Hint old = hints.getOrDefault(partition, new Hint(0, ended, LEAST_DEAD));
        int dead = tooLong == 0 ? 0 : old.dead;
        long use = dead < LEAST_DEAD ? 0 : rest(tooLong);
        if (use > 0) {
            wantedUntil = ended + use + WANTED;
        }
        hints.put(partition, new Hint(old.settledUpTo, ended + use, dead));
    }

    /**
     * Notes, once it is committed, what a batch has settled.
     *
     * @param upTo the row up to which it has settled all that it read
     * @param messages how many that were
     * @param decidedUpTo the floor before it read
     */
    public void settled(Partition partition, long upTo, int messages, long decidedUpTo) {
        hints.computeIfPresent(partition, (name, old) -> {
            long safe = Math.min(upTo, Math.max(decidedUpTo, old.settledUpTo));
            return new Hint(safe, old.useUntil, old.dead + messages);
        });
    }
}
