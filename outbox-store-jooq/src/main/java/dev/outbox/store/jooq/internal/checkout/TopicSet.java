package dev.outbox.store.jooq.internal.checkout;

import dev.outbox.store.jooq.internal.dialect.Dialect;
import dev.outbox.store.jooq.internal.partition.ByteBudget;
import dev.outbox.store.jooq.internal.partition.Partition;
import dev.outbox.store.support.PartitionRotation;
import java.time.Duration;
import java.util.List;

/** What a store remembers for one set of topics that relays ask for. Safe for use by several threads. */
public final class TopicSet {
    /**
     * The most partitions of one batch. Every partition is a lock, and all clients share the server's table of locks.
     */
    public static final int MOST_PARTITIONS = 500;

    /**
     * A discovery is a query that reads one entry of an index for each partition. Dead rows can make it slow. If a
     * checkout begins with the square root of the partitions, other relays get work too, and few batches still serve
     * many partitions.
     */
    public static final PartitionRotation.Pace PACE = new PartitionRotation.Pace(
            Duration.ofMillis(100), 20, MOST_PARTITIONS, all -> (int) Math.ceil(Math.sqrt(all)));

    final Dialect dialect;
    final int lockKey;
    final List<String> topics;
    final PartitionRotation<Partition> rotation;
    final ReadPositions readPositions;
    final LowWatermark lowWatermark;
    final ByteBudget budget = new ByteBudget();

    /** The query that finds all partitions with messages. */
    final String discovery;

    /** When the database was last known to be writable, by {@link System#nanoTime}. */
    volatile long writableAt = System.nanoTime();

    /** Whether the last batch had room, so that the next one probably has room too and must look for partitions. */
    volatile boolean expectsRoom;

    /**
     * A set of topics of which nothing is known yet.
     *
     * @param topics not empty, and names that a topic can have
     */
    public TopicSet(
            Dialect dialect,
            int lockKey,
            List<String> topics,
            PartitionRotation<Partition> rotation,
            ReadPositions readPositions,
            LowWatermark lowWatermark) {
        this.dialect = dialect;
        this.lockKey = lockKey;
        this.topics = topics;
        this.discovery = dialect.discovery(topics);
        this.rotation = rotation;
        this.readPositions = readPositions;
        this.lowWatermark = lowWatermark;
    }

    /** Notes that another batch is open while the next one is taken. */
    public void noteContention() {
        rotation.noteCompany();
    }
}
