package dev.outbox.store.redis;

import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * How many messages to ask for in one request. A server cannot be told how many bytes to answer with, only how many
 * messages, and it makes the answer as a whole in its own memory; beyond a limit of its own ({@code
 * client-output-buffer-limit}, {@code maxmemory-clients}) it closes the connection instead. So what messages of a
 * partition have weighed tells how many of them make up a batch, or of its topic, if nothing was read of it yet; of
 * what nobody has weighed a few are asked for; and where an answer did not come from a server that is there, or did not
 * fit, half as many.
 *
 * <p>Safe for use by several threads.
 */
final class Portions {
    /** Beyond this a batch takes no more: memory is bounded. It has one message at least. */
    static final long BYTES = 16L << 20;

    /** Of messages of unknown weight. */
    static final int FIRST = 4;

    /** Then twice as many are tried again. */
    private static final long CAUTION = TimeUnit.MINUTES.toNanos(1);

    /**
     * What a message has weighed, by partition: large messages of one are not forgotten while others are read. There
     * are no more than those that relays keep in mind to take their turns.
     */
    private final Map<Partition, Double> weights = new ConcurrentHashMap<>();

    /** The same by topic, for partitions of which nothing was read yet. */
    private final Map<String, Double> topics = new ConcurrentHashMap<>();

    // Guarded by this.
    private int most = Integer.MAX_VALUE;
    private long doubledAt;

    /**
     * How many messages, in equal parts from these partitions, make up this number of bytes, 1 or more. One that is the
     * first of its topic is taken for one like the others.
     */
    int of(Collection<Partition> partitions, long bytes) {
        double sum = 0;
        int known = 0;
        for (Partition partition : partitions) {
            double weight = weight(partition);
            if (weight > 0) {
                sum += weight;
                known++;
            }
        }
        int most = most();
        if (known == 0) {
            return Math.min(FIRST, most);
        }
        return (int) Math.max(1, Math.min(most, bytes / Math.max(1, sum / known)));
    }

    /** What a message of a partition weighs, as far as is known; 0 if nothing is. */
    double weight(Partition partition) {
        Double own = weights.get(partition);
        return own != null ? own : topics.getOrDefault(partition.topic(), 0.0);
    }

    /** What came in one answer. A weight rises immediately, and falls step by step, once for each answer. */
    final class Answer {
        private final Map<String, Double> heaviest = new HashMap<>();

        /** What was read of a partition, from that index on. */
        void add(Partition partition, List<StreamEntry> read, int from) {
            if (from == read.size()) {
                return;
            }
            long bytes = 0;
            for (StreamEntry entry : read.subList(from, read.size())) {
                bytes += entry.bytes();
            }
            double average = (double) bytes / (read.size() - from);
            weights.merge(partition, average, Portions::merged);
            heaviest.merge(partition.topic(), average, Math::max);
        }

        /** It was all. */
        void end() {
            heaviest.forEach((topic, average) -> topics.merge(topic, average, Portions::merged));
        }
    }

    private static double merged(double before, double now) {
        return Math.max(now, before / 2);
    }

    /**
     * This number of messages, asked for in one request, did not come. Nothing that is known of their weight seems to
     * be true. Several that have asked for as many at a time halve it once.
     */
    synchronized void halve(int asked) {
        most = Math.max(1, Math.min(asked / 2, most()));
        doubledAt = System.nanoTime();
        weights.clear();
        topics.clear();
    }

    private synchronized int most() {
        long now = System.nanoTime();
        while (most < Integer.MAX_VALUE && now - doubledAt > CAUTION) {
            most = most > Integer.MAX_VALUE / 2 ? Integer.MAX_VALUE : 2 * most;
            doubledAt += CAUTION;
        }
        return most;
    }
}
