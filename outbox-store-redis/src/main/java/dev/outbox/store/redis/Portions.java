package dev.outbox.store.redis;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;

/**
 * How many messages to ask for at once. A server cannot be told how many bytes to answer with, only how many messages, and it makes
 * the answer as a whole in its own memory; beyond a limit of its own ({@code client-output-buffer-limit}, {@code
 * maxmemory-clients}) it closes the connection instead. So what messages of a topic have weighed tells how many of them make up
 * a batch; of what nobody has weighed yet a few are asked for; and where an answer did not come, or did not fit, half as many.
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

    /** What a message has weighed, by topic. */
    private final Map<String, Double> weights = new ConcurrentHashMap<>();

    // Guarded by this.
    private int most = Integer.MAX_VALUE;
    private long doubledAt;

    /**
     * How many messages, in equal parts from these partitions, make up so many bytes, 1 or more. One that is the first of its topic is taken
     * for one like the others.
     */
    int of(Collection<Partition> partitions, long bytes) {
        double sum = 0;
        int known = 0;
        for (Partition partition : partitions) {
            Double weight = weights.get(partition.topic());
            if (weight != null) {
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

    /** What was read of a topic. The weight rises at once, and falls by and by. */
    void note(String topic, List<StreamEntry> read, int from) {
        if (from == read.size()) {
            return;
        }
        long bytes = 0;
        for (StreamEntry entry : read.subList(from, read.size())) {
            bytes += entry.bytes();
        }
        double average = (double) bytes / (read.size() - from);
        weights.merge(topic, average, (before, now) -> Math.max(now, before / 2));
    }

    /** So many, asked for at once, did not come. Nothing that is known of their weight seems to be true. */
    synchronized void halve(int asked) {
        most = Math.max(1, Math.min(asked, most()) / 2);
        doubledAt = System.nanoTime();
        weights.clear();
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
