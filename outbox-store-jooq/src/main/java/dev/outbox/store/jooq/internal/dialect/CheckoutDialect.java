package dev.outbox.store.jooq.internal.dialect;

import dev.outbox.store.jooq.internal.partition.DiscoveryQuery;
import dev.outbox.store.jooq.internal.partition.HeldPartition;
import dev.outbox.store.jooq.internal.partition.OpenTransactions;
import dev.outbox.store.jooq.internal.partition.Partition;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * How partitions are found, taken and read. Here a database can break the promise of the outbox, so these rules hold
 * for every implementation:
 *
 * <ul>
 *   <li>{@link #take} and {@link #read} are statements of their own, because a statement sees the data of the time
 *       before it got its locks.
 *   <li>A read names the columns of the index in its order. Otherwise the database sorts the backlog at every
 *       checkout.
 *   <li>No statement waits for a lock.
 * </ul>
 */
public interface CheckoutDialect {
    /** Takes a lock of the kind that partitions have, for the number of a row of outbox_message, in a transaction. */
    boolean takeRehearsed(Connection connection, int lockKey, long rowId) throws SQLException;

    /**
     * The query that finds the partitions of the topics that have messages and are not delayed, with the columns
     * topic, partition_no, and id, which is null if the partition has no row. Its cost grows with the partitions that
     * it finds, not with messages nor with all partitions.
     */
    String discovery(Collection<String> topics);

    /**
     * The query of {@link #discovery} that starts after the rows that are settled. These may be dead and still in the
     * index.
     *
     * @param settled the row up to which nothing is left of a partition, see {@code ReadPositions}
     */
    String discoveryBehind(Collection<String> topics, Map<Partition, Long> settled);

    /** Adds rows to outbox_partition where they are missing. Others may do the same at the same time. */
    void addPartitions(Connection connection, List<Partition> missing) throws SQLException;

    /**
     * Takes partitions that are ready and free, until the transaction ends, and returns their ids. When it has taken
     * the most that are wanted, it neither tries another nor keeps others from it.
     *
     * <p>If the lock is the partition's row, no other client can change the row then. In that case this method also
     * tells each partition which of its messages failed the last time, and leaves out rows that meanwhile belong to
     * other partitions.
     *
     * @param beginSql the SQL that {@link TransactionDialect#beginDedicated} left to send first, or ""
     * @param most how many to take
     */
    List<Integer> take(Connection connection, String beginSql, int lockKey, List<HeldPartition> wanted, int most)
            throws SQLException;

    /**
     * Whether {@link #takeAndRead} saves a round trip.
     *
     * @param dedicated whether the connection is from our own pool
     */
    boolean takesAndReadsAtOnce(boolean dedicated);

    /**
     * Sends {@link #take} of all partitions and {@link #read} of them together. They are still two statements, and the
     * second sees the messages that are committed when the first has got its locks. Returns the ids of the partitions
     * that were taken. The caller must not use messages of the others.
     *
     * @param query to be sent with them, after both; only on a connection of our own
     */
    List<Integer> takeAndRead(
            Connection connection,
            String beginSql,
            int lockKey,
            List<HeldPartition> wanted,
            @Nullable DiscoveryQuery query)
            throws SQLException;

    /** How many partitions one statement can read at a reasonable price. */
    int mostReadAtOnce();

    /**
     * Reads partitions that are taken, all as they are at one moment. Reads at most {@link HeldPartition#rows} rows of
     * each, after its position and not past its end. It leaves out payloads that are larger than
     * {@link HeldPartition#whole}, and may leave out the payload of the row after the share. Tells each partition
     * which of its messages failed the last time, unless {@link #take} has.
     */
    void read(Connection connection, List<HeldPartition> partitions) throws SQLException;

    /**
     * The transactions that write to outbox_message now. Null if the database does not say, or if nothing depends on
     * it because its indexes keep no dead entries.
     *
     * @param strictOrder whether to ask for the last id that was drawn, too
     */
    @Nullable
    OpenTransactions writers(Connection connection, int lockKey, boolean strictOrder) throws SQLException;

    /** The hint after the alias of outbox_message that makes the server find rows by the ids in the query. */
    String byIds();

    /** The row id of the first message of a partition after a row, or 0 if there is none. */
    long head(Connection connection, Partition partition, long after) throws SQLException;
}
