package dev.outbox.store.jooq;

import dev.outbox.Operations.Backlog;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * The backlog of a database that cannot count up to a bound for each row of another query: its partitions are asked for one
 * by one.
 */
final class Pending {
    private static final String IN_PARTITION = " FROM outbox_message m WHERE m.topic = ? AND m.partition_no = ? ";

    private Pending() {}

    /** A partition that had messages a moment ago. */
    record Partition(String topic, int number) {}

    /**
     * What waits in the partitions, without those that are empty by now.
     */
    static List<Backlog> of(Connection connection, List<Partition> partitions, Dialect dialect) throws SQLException {
        List<Backlog> backlog = new ArrayList<>();
        String sql =
                "SELECT (SELECT count(*) FROM (SELECT m.id" + IN_PARTITION + dialect.limit("" + Backlog.EXACT_UP_TO)
                        + ") c), (SELECT " + dialect.millisSince("m.created_at") + IN_PARTITION
                        + "ORDER BY m.topic, m.partition_no, m.id " + dialect.limit("1") + ")";
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
