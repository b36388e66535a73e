package dev.outbox.store.jooq;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * Up to which row every message of a partition was settled, as far as this store has seen. A database keeps the dead
 * entries of deleted rows at the head of the index for as long as any transaction might see them; reading behind the
 * hint spares walking through them at every checkout.
 *
 * <p>Why nothing is lost by it: a hint never decides what is deleted, only where a read begins. A transaction that got a
 * lower id and commits late, and a message that another relay released or failed below our hint, are found by the next
 * read from the start. That is nearly always the next read, because a hint is used only while reads from the start are
 * slow and dead entries can be the reason; at the latest it is due after {@link #LONGEST_USE}, and at once when a batch is
 * left with room. A redriven message has a new, higher id. A partition whose head failed is read from the start.
 *
 * <p>What it costs: while a hint is used, a message that commits late may also come after one that was written after that
 * commit.
 *
 * <p>A hint of a partition is only changed by the batch that holds it. Safe for use by several threads.
 */
final class Hints {
    private static final long LONGEST_USE = TimeUnit.SECONDS.toNanos(1);

    /** What a read may take without being called slow: for itself, and for every message. */
    private static final long GRACE = TimeUnit.MICROSECONDS.toNanos(300);

    private static final long GRACE_PER_MESSAGE = TimeUnit.MICROSECONDS.toNanos(3);

    /** Fewer dead entries than this make no read slow: it is the machine that is busy. */
    private static final int LEAST_DEAD = 2_000;

    /**
     * @param settledUpTo the last row below and at which nothing is left
     * @param useUntil when to read from the start again
     * @param dead how many messages were settled since a read from the start was last seen to be fast
     */
    private record Hint(long settledUpTo, long useUntil, int dead) {}

    private final Map<Integer, Hint> hints = new ConcurrentHashMap<>();

    /** Behind which row to start reading: 0 is the start. */
    long start(Candidate partition, long now) {
        Hint hint = hints.get(partition.id());
        return hint == null || now - hint.useUntil >= 0 ? 0 : hint.settledUpTo;
    }

    /**
     * Notes how long a read from the start took. What it took too long it may not take again for ten times that, so that
     * reading from the start costs no more than about a tenth of the time.
     */
    void readFromStart(Candidate partition, int messages, long took, long ended) {
        long tooLong = Math.max(0, took - GRACE - messages * GRACE_PER_MESSAGE);
        Hint old = hints.getOrDefault(partition.id(), new Hint(0, ended, 0));
        int dead = tooLong == 0 ? 0 : old.dead;
        long use = dead < LEAST_DEAD ? 0 : Math.min(LONGEST_USE, 10 * tooLong);
        hints.put(partition.id(), new Hint(old.settledUpTo, ended + use, dead));
    }

    /** Notes, once it is committed, that a batch has settled all it read, and which row was the last. */
    void settledAll(Candidate partition, int messages, long last) {
        hints.computeIfPresent(
                partition.id(),
                (id, old) -> new Hint(Math.max(old.settledUpTo, last), old.useUntil, old.dead + messages));
    }

    /** Notes, once it is committed, that a batch has left this row: it is the next to be read. */
    void left(Candidate partition, int messages, long row) {
        hints.computeIfPresent(partition.id(), (id, old) -> new Hint(row - 1, old.useUntil, old.dead + messages));
    }

    /** Forgets what was settled, because it is not known whether a commit took effect. */
    void forget(Candidate partition) {
        hints.remove(partition.id());
    }
}
