package dev.outbox.store.jooq.internal.checkout;

import dev.outbox.store.jooq.internal.partition.Partition;
import java.util.Collection;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * For each partition, the row up to which every message was settled, as far as this store has seen. A database keeps
 * the dead entries of deleted rows at the head of the index for as long as any transaction might see them. A read that
 * starts after the position does not walk through them at every checkout.
 *
 * <p>A position loses no message and lets none overtake another. It never decides what is deleted, only where a read
 * begins. It never passes the {@link LowWatermark} of the time before the read that it comes from. So no message can
 * appear below the position: that read has seen all that were there, and the store has settled them. Rows above the
 * position are read every time. A transaction that got a lower id and commits late is found by the next read, before
 * all messages that were written later. A redriven message has a new, higher id.
 *
 * <p>Still, positions are only used while reading from the start is slow and dead entries can be the reason, and for
 * {@link #LONGEST_USE} at most. So rows that were inserted by hand with explicit ids are found, too. After a failover,
 * rows whose deletion was lost can reappear. A failover shows as an error of the connection, and such an error clears
 * all positions.
 *
 * <p>Only the batch that holds a partition changes its position. Safe for use by several threads.
 */
public final class ReadPositions {
    private static final long LONGEST_USE = TimeUnit.SECONDS.toNanos(10);

    /**
     * A read from the start is not repeated for this many times as long as it took, so it costs a twentieth of the
     * time.
     */
    private static final int REST = 20;

    /** How long after a slow read the low watermark is asked for. */
    private static final long WANTED = TimeUnit.SECONDS.toNanos(2);

    /** The time that a query may take without being slow: for itself, and for every message. */
    static final long GRACE = TimeUnit.MICROSECONDS.toNanos(300);

    private static final long GRACE_PER_MESSAGE = TimeUnit.MICROSECONDS.toNanos(3);

    /** With fewer dead entries than this, no read is slow because of them: the machine is busy. */
    private static final int LEAST_DEAD = 2_000;

    /**
     * A position and its use.
     *
     * @param settledUpTo the last row below and at which nothing is left
     * @param useUntil when to read from the start again
     * @param dead the messages that were settled since a read from the start was last fast; {@link #LEAST_DEAD} if
     *     none was
     */
    private record Hint(long settledUpTo, long useUntil, int dead) {}

    private final Map<Partition, Hint> hints = new ConcurrentHashMap<>();
    private volatile long wantedUntil = System.nanoTime();

    /** Whether positions are of use now, so that it is worthwhile to ask for the low watermark. */
    boolean areWanted(long now) {
        return now - wantedUntil < 0;
    }

    /** The row after which to start reading; 0 is the start. */
    public long start(Partition partition, long now) {
        Hint hint = hints.get(partition);
        return hint == null || now - hint.useUntil >= 0 ? 0 : hint.settledUpTo;
    }

    /** The row up to which all is settled, of the partitions whose positions are of use now. */
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
     * Notes that a discovery looked for partitions from their starts, except those that it
     * {@link #settled passed over}. Partitions in which it found nothing are empty, and their dead entries may have
     * made it slow. So it passes these over again for a while. The others are read from their starts before that.
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

    /** The time that a query may take that finds this many messages. */
    static long graceOf(int messages) {
        return GRACE + messages * GRACE_PER_MESSAGE;
    }

    private static long rest(long tooLong) {
        return Math.min(LONGEST_USE, REST * tooLong);
    }

    /** Forgets everything, because a commit may or may not have taken effect, or the server may be another one. */
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
     * @param messages how many messages it has settled
     * @param decidedUpTo the low watermark of the time before it read
     */
    public void settled(Partition partition, long upTo, int messages, long decidedUpTo) {
        hints.computeIfPresent(partition, (name, old) -> {
            long safe = Math.min(upTo, Math.max(decidedUpTo, old.settledUpTo));
            return new Hint(safe, old.useUntil, old.dead + messages);
        });
    }
}
