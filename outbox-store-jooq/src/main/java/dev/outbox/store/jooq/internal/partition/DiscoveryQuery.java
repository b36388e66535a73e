package dev.outbox.store.jooq.internal.partition;

import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * A query for the partitions that have messages, by itself or sent with others, and its answer. Confined to a thread.
 */
public final class DiscoveryQuery {
    public final String sql;

    /** Partitions that it looks at only after a row, which is their hint. */
    public final Map<Partition, Long> passedOver;

    public final long started = System.nanoTime();
    public final List<Partition> found = new ArrayList<>();

    /** Those that have no row in outbox_partition yet. */
    public final List<Partition> missing = new ArrayList<>();

    /** Read-only SQL transaction, as PostgreSQL says it of what it refuses. */
    private static final String READ_ONLY_STATE = "25006";

    private boolean answered;

    public DiscoveryQuery(String sql, Map<Partition, Long> passedOver) {
        this.sql = sql;
        this.passedOver = passedOver;
    }

    public boolean isAnswered() {
        return answered;
    }

    /**
     * Columns: topic, partition_no, id of the row in outbox_partition. A row without a topic says that nothing can be
     * written here: a standby that stands still would else be taken for an outbox in which nothing is ever written.
     */
    public void answer(ResultSet rows) throws SQLException {
        while (rows.next()) {
            if (rows.getString(1) == null) {
                throw new SQLException("transactions are read-only here", READ_ONLY_STATE);
            }
            Partition candidate = new Partition(rows.getInt(3), rows.getString(1), rows.getInt(2));
            (candidate.id() == 0 ? missing : found).add(candidate);
        }
        answered = true;
    }
}
