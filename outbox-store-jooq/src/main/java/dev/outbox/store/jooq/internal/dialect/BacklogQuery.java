package dev.outbox.store.jooq.internal.dialect;

import dev.outbox.Operations.Backlog;
import dev.outbox.store.jooq.internal.partition.Partition;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * The backlog of a database that cannot count up to a bound for each row of another query: its partitions are asked for
 * one by one.
 */
public final class BacklogQuery {
    private BacklogQuery() {}

    /** A partition that had messages a moment ago. */
    record Partition(String topic, int number) {}

    /**
     * What waits in the partitions, without those that are empty by now.
     *
     * @param index a hint that names the index to be used, or nothing
     * @param order what to sort the messages of one partition by, so that the database sees that the index has them so
     */
    static List<Backlog> of(
            Connection connection, List<Partition> partitions, Dialect dialect, String index, String order)
            throws SQLException {
        List<Backlog> backlog = new ArrayList<>();
        String inPartition = " FROM outbox_message m" + index + " WHERE m.topic = ? AND m.partition_no = ? ";
        String sql = "SELECT (SELECT count(*) FROM (SELECT m.id" + inPartition + dialect.limit("" + Backlog.EXACT_UP_TO)
                + ") c), (SELECT " + dialect.millisSince("m.created_at") + inPartition
                + "ORDER BY " + order + " " + dialect.limit("1") + ")";
        try (PreparedStatement statement = connection.prepareStatement(dialect.sql(sql))) {
            for (Partition partition : partitions) {
                for (int i = 1; i <= 3; i += 2) {
                    statement.setString(i, partition.topic());
                    statement.setInt(i + 1, partition.number());
                }
                try (ResultSet row = statement.executeQuery()) {
                    row.next();
                    add(backlog, partition.topic(), partition.number(), row.getLong(1), row.getLong(2));
                }
            }
        }
        return backlog;
    }

    static void add(List<Backlog> backlog, String topic, int partition, long pending, long millis) {
        if (pending > 0) {
            backlog.add(new Backlog(topic, partition, pending, Duration.ofMillis(Math.max(0, millis))));
        }
    }
}
