package dev.outbox.store.jooq.internal.checkout;

import dev.outbox.store.jooq.internal.connection.BorrowedConnection;
import dev.outbox.store.jooq.internal.dialect.Dialect;
import dev.outbox.store.jooq.internal.dialect.RowReader;
import dev.outbox.store.jooq.internal.partition.ByteBudget;
import dev.outbox.store.jooq.internal.partition.DiscoveryQuery;
import dev.outbox.store.jooq.internal.partition.HeldPartition;
import dev.outbox.store.jooq.internal.partition.Partition;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Takes partitions and reads their messages, in the transaction of one batch. Confined to its thread. */
final class MessageReader implements Filling.Access {
    /** The most ids in one statement. */
    private static final int LONGEST_LIST = 500;

    private final TopicSet topicSet;
    private final Dialect dialect;
    private final BorrowedConnection borrowed;
    private final Connection connection;
    private final Discovery discovery;

    /** The largest payload in bytes that a read brings with its row. */
    private final long whole;

    /** To be sent with the first statement. */
    private String beginSql;

    /** To be sent with the first take and read. */
    private @Nullable DiscoveryQuery unsent;

    /**
     * A reader that has sent nothing yet.
     *
     * @param beginSql what is left to send to begin the transaction, or ""
     * @param query to be sent with the first take and read, or null
     * @param limit the most messages of the batch
     */
    MessageReader(
            TopicSet topicSet,
            BorrowedConnection borrowed,
            Discovery discovery,
            String beginSql,
            @Nullable DiscoveryQuery query,
            int limit) {
        this.topicSet = topicSet;
        this.dialect = topicSet.dialect;
        this.borrowed = borrowed;
        this.connection = borrowed.connection();
        this.discovery = discovery;
        this.whole = ByteBudget.whole(limit);
        this.beginSql = beginSql;
        this.unsent = query;
    }

    /**
     * If no other relay is active, nearly all partitions that are tried are taken. Otherwise some are not. Reading
     * these would be for nothing, and the others would lack their share of the limit. A single partition shares with
     * no other.
     */
    @Override
    public boolean isBestReadAtOnce(int tried) {
        return dialect.takesAndReadsAtOnce(borrowed.isDedicated())
                && tried <= dialect.mostReadAtOnce()
                && (tried == 1 || topicSet.rotation.isAlone());
    }

    @Override
    public List<HeldPartition> take(List<Partition> tried, int most) throws SQLException {
        List<HeldPartition> wanted = wanted(tried);
        keep(wanted, dialect.take(connection, beginSql, topicSet.lockKey, wanted, most));
        beginSql = "";
        return wanted;
    }

    @Override
    public List<HeldPartition> takeAndRead(List<Partition> tried, int limit) throws SQLException {
        List<HeldPartition> wanted = wanted(tried);
        share(wanted, limit);
        DiscoveryQuery query = unsent;
        long started = System.nanoTime();
        keep(wanted, dialect.takeAndRead(connection, beginSql, topicSet.lockKey, wanted, query));
        long took = System.nanoTime() - started;
        beginSql = "";
        unsent = null;
        if (query == null) {
            noteRead(wanted, took);
        } else {
            // Both were sent together, so each is given the time that the other may take without being slow.
            noteRead(wanted, took - ReadPositions.GRACE);
            discovery.noteTime(query, took - ReadPositions.graceOf(messages(wanted)));
        }
        readFromStart(wanted);
        return wanted;
    }

    @Override
    public void read(List<HeldPartition> partitions, int limit) throws SQLException {
        share(partitions, limit);
        readShares(partitions);
        readFromStart(partitions);
    }

    @Override
    public void noteContention() {
        topicSet.noteContention();
    }

    static int messages(List<HeldPartition> held) {
        return held.stream().mapToInt(partition -> partition.messages.size()).sum();
    }

    /**
     * Reads partitions again from their start if a message of them has failed before. That message may be before the
     * read position, which another store may know better.
     */
    private void readFromStart(List<HeldPartition> partitions) throws SQLException {
        List<HeldPartition> before = partitions.stream()
                .filter(held -> !held.fromStart() && held.failingId != 0)
                .toList();
        if (!before.isEmpty()) {
            before.forEach(HeldPartition::restartFromStart);
            readShares(before);
        }
    }

    private void readShares(List<HeldPartition> partitions) throws SQLException {
        long started = System.nanoTime();
        int most = dialect.mostReadAtOnce();
        for (int i = 0; i < partitions.size(); i += most) {
            dialect.read(connection, partitions.subList(i, Math.min(partitions.size(), i + most)));
        }
        noteRead(partitions, System.nanoTime() - started);
    }

    /** The partitions as the batch would hold them. It does not hold them yet. */
    private List<HeldPartition> wanted(List<Partition> partitions) throws SQLException {
        long now = System.nanoTime();
        if (topicSet.readPositions.areWanted(now)) {
            topicSet.lowWatermark.look(connection);
        }
        long decidedUpTo = topicSet.lowWatermark.get();
        List<HeldPartition> wanted = new ArrayList<>(partitions.size());
        for (Partition partition : partitions) {
            // A position that is old by the time the partition is taken is too low, or right: nothing appears below it.
            wanted.add(new HeldPartition(
                    partition,
                    topicSet.readPositions.start(partition, now),
                    decidedUpTo,
                    topicSet.lowWatermark.end(decidedUpTo)));
        }
        return wanted;
    }

    private static void keep(List<HeldPartition> wanted, List<Integer> taken) {
        Set<Integer> ids = new HashSet<>(taken);
        wanted.removeIf(held -> !ids.remove(held.partition.id()));
        if (!ids.isEmpty()) {
            throw new IllegalStateException("The database locked partition rows " + ids + ", which were not asked for");
        }
    }

    /** Gives every partition a share of the limit, which is at least their number. */
    private void share(List<HeldPartition> partitions, int limit) {
        if (partitions.isEmpty()) {
            return;
        }
        int each = limit / partitions.size();
        int more = limit % partitions.size();
        for (int i = 0; i < partitions.size(); i++) {
            partitions.get(i).whole = whole;
            partitions.get(i).startReading(i < more ? each + 1 : each, partitions.size() == 1);
        }
    }

    private void noteRead(List<HeldPartition> partitions, long took) {
        long ended = System.nanoTime();
        int messages = messages(partitions);
        for (HeldPartition held : partitions) {
            topicSet.lowWatermark.read(held.lastRowId());
        }
        for (HeldPartition held : partitions) {
            if (held.fromStart()) {
                topicSet.readPositions.readFromStart(held.partition, messages, took, ended);
            }
            if (held.messages.isEmpty()) {
                topicSet.rotation.remove(held.partition);
            }
        }
    }

    /**
     * Reads the payloads that the first read left out, by the ids of the rows that it found. Another transaction may
     * have committed a lower id since then. That message is not in this batch. The next batch begins with it.
     */
    static void complete(Connection connection, Dialect dialect, List<HeldPartition> held) throws SQLException {
        List<Long> leftOut = new ArrayList<>();
        held.forEach(partition -> leftOut.addAll(partition.leftOut()));
        Map<Long, byte[]> payloads = new HashMap<>();
        Map<Long, String> unreadable = new HashMap<>();
        for (int i = 0; i < leftOut.size(); i += LONGEST_LIST) {
            String ids = leftOut.subList(i, Math.min(leftOut.size(), i + LONGEST_LIST)).stream()
                    .map(String::valueOf)
                    .collect(Collectors.joining(", "));
            try (Statement statement = connection.createStatement()) {
                statement.execute(dialect.sql("SELECT m.id, m.payload FROM outbox_message m" + dialect.byIds()
                        + " WHERE m.id IN (" + ids + ")" + dialect.endOfRead()));
                try (ResultSet rows = statement.getResultSet()) {
                    RowReader.leftOut(rows, payloads, unreadable);
                }
            }
        }
        held.forEach(partition -> partition.complete(payloads, unreadable));
    }
}
