package dev.outbox.store.jooq.internal.partition;

import java.util.ArrayList;
import java.util.List;

/**
 * The most bytes of payloads that a batch holds. It bounds the memory of a relay, whatever the limit of messages is.
 *
 * <p>The first read brings the payloads that are small, and only the sizes of the others. A payload is small if it is
 * no larger than the budget divided by the limit. So what the first read keeps of these is no more than the budget. It
 * may bring one row more for each partition, as the proof that there is more: at most twice the budget, where databases
 * send that row whole. After it the size of every message is known, and {@link #cut} decides which messages the batch
 * keeps. One more statement reads the payloads of these that were left out. A batch of small messages needs no such
 * statement.
 *
 * <p>Partitions take turns, one message at a time, so a partition of large messages leaves places to the others. The
 * first message always has a place, so every batch makes progress. No message is larger than half of the budget. For
 * this reason a batch that was cut has at least {@link #LEAST} bytes.
 *
 * <p>Some servers read a payload to tell its size. They should not do that for a thousand rows when the batch has room
 * for ten. The next checkout therefore expects messages of the size of the last batch, and asks for as many of them as
 * the budget holds. If the messages turn out to be smaller, it asks again, for the whole limit. Safe for use by
 * several threads.
 */
public final class ByteBudget {
    /** The most bytes of one batch. */
    public static final long MOST = 32L << 20;

    /** A batch with fewer bytes than this must have all messages that the limit allows. */
    public static final long LEAST = MOST / 2;

    private volatile int expected = Integer.MAX_VALUE;

    /** How many messages of the size of the last batch fit into the budget. */
    public int expected() {
        return expected;
    }

    /** Remembers the size of the messages of a batch. */
    public void note(List<HeldPartition> held) {
        long messages =
                held.stream().mapToLong(partition -> partition.messages.size()).sum();
        long bytes = bytes(held);
        if (messages > 0) {
            expected = (int) Math.max(1, Math.min(Integer.MAX_VALUE, messages * MOST / Math.max(1, bytes)));
        }
    }

    /** The largest payload in bytes that the first read brings, if it brings at most this number of rows. */
    public static long whole(int messages) {
        return Math.max(1, MOST / messages);
    }

    public static long bytes(List<HeldPartition> held) {
        return held.stream().mapToLong(HeldPartition::bytes).sum();
    }

    public static boolean isSpent(List<HeldPartition> held) {
        return bytes(held) >= MOST;
    }

    /**
     * Removes messages from the ends of partitions until the rest fits. Returns the partitions that lost all messages.
     */
    public static List<HeldPartition> cut(List<HeldPartition> held) {
        List<HeldPartition> open = new ArrayList<>(held);
        long left = MOST;
        for (int turn = 0; !open.isEmpty(); turn++) {
            List<HeldPartition> going = new ArrayList<>();
            for (HeldPartition partition : open) {
                if (turn == partition.messages.size()) {
                    continue;
                }
                int size = partition.size(turn);
                if (size <= left || left == MOST) {
                    left -= size;
                    going.add(partition);
                } else {
                    partition.cut(turn);
                }
            }
            open = going;
        }
        return held.stream()
                .filter(partition -> partition.isCut && partition.messages.isEmpty())
                .toList();
    }
}
