package dev.outbox.store.jooq.internal.checkout;

import dev.outbox.store.jooq.internal.connection.BorrowedConnection;
import dev.outbox.store.jooq.internal.dialect.Dialect;
import dev.outbox.store.jooq.internal.partition.DiscoveryQuery;
import dev.outbox.store.jooq.internal.partition.Partition;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Finds the partitions that have messages and are ready, for one checkout. Confined to its thread. */
public final class Discovery {
    /** How often an idle store asks whether its database is writable, if discovery does not tell. Tests change it. */
    public static volatile Duration writableEvery = Duration.ofSeconds(10);

    private final TopicSet topicSet;
    private final Dialect dialect;
    private final BorrowedConnection borrowed;

    Discovery(TopicSet topicSet, BorrowedConnection borrowed) {
        this.topicSet = topicSet;
        this.dialect = topicSet.dialect;
        this.borrowed = borrowed;
    }

    /**
     * The query to send with the first take and read, which saves a round trip if the batch has room. Null if it
     * probably has none.
     */
    @Nullable
    DiscoveryQuery sentAlong() {
        return topicSet.expectsRoom && borrowed.isDedicated() && dialect.takesAndReadsAtOnce(true) ? query() : null;
    }

    /**
     * While looking from the start is slow, the query starts after the rows that are settled. No message can appear
     * among these, see {@link ReadPositions}.
     */
    private DiscoveryQuery query() {
        Map<Partition, Long> settled = topicSet.readPositions.settled(System.nanoTime());
        return new DiscoveryQuery(
                settled.isEmpty() ? topicSet.discovery : dialect.discoveryBehind(topicSet.topics, settled), settled);
    }

    /**
     * Looks within the transaction of a batch that has messages. Null if the batch must begin again, because rows for
     * new partitions are added in a transaction that does not last as long as a batch.
     *
     * @param sent a query that was sent with the first take and read, or null
     */
    @Nullable
    List<Partition> withinBatch(@Nullable DiscoveryQuery sent) throws SQLException {
        DiscoveryQuery query = sent != null && sent.isAnswered() ? sent : ask(dialect.endOfRead());
        return query.missing.isEmpty() ? found(query) : null;
    }

    /** Looks in auto-commit mode, so that asking an idle outbox is one round trip. */
    List<Partition> beforeBatch() throws SQLException {
        DiscoveryQuery query = ask("");
        if (!query.missing.isEmpty()) {
            // Writers leave these rows to us. Two writers with new messages of one partition would wait for each other.
            dialect.addPartitions(borrowed.connection(), query.missing);
            query = ask("");
        }
        List<Partition> found = found(query);
        if (found.isEmpty()) {
            requireWritable();
        }
        return found;
    }

    private List<Partition> found(DiscoveryQuery query) {
        topicSet.rotation.replace(query.found, query.started, System.nanoTime());
        return query.found;
    }

    /**
     * A relay without messages never begins a transaction. It would not learn that its server is read-only, and that
     * may be the reason why there are no messages.
     */
    private void requireWritable() throws SQLException {
        if (dialect.requireWritable().isEmpty() && System.nanoTime() - topicSet.writableAt > writableEvery.toNanos()) {
            borrowed.begin();
            borrowed.rollback();
            topicSet.writableAt = System.nanoTime();
        }
    }

    private DiscoveryQuery ask(String end) throws SQLException {
        DiscoveryQuery query = query();
        // The query that is always the same is prepared, because planning it takes longer than the rest of an idle
        // poll. That is only right on connections that were set up for it: elsewhere a plan that was made for an empty
        // table might be kept for a full one.
        boolean prepared = query.passedOver.isEmpty() && borrowed.isDedicated();
        String sql = query.sql + end;
        try (Statement statement = prepared
                ? borrowed.connection().prepareStatement(sql)
                : borrowed.connection().createStatement()) {
            if (prepared) {
                ((PreparedStatement) statement).execute();
            } else {
                statement.execute(sql);
            }
            try (ResultSet rows = statement.getResultSet()) {
                query.answer(rows);
            }
        }
        noteTime(query, System.nanoTime() - query.started);
        return query;
    }

    /** Notes how long a query took, in nanoseconds. */
    void noteTime(DiscoveryQuery query, long took) {
        topicSet.readPositions.lookedFor(
                topicSet.topics, new HashSet<>(query.found), query.passedOver, took, System.nanoTime());
    }
}
