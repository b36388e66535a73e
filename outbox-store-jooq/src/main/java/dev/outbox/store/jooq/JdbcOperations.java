package dev.outbox.store.jooq;

import dev.outbox.DeadLetter;
import dev.outbox.MisuseException;
import dev.outbox.Operations;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** {@link Operations} by plain statements, each call a transaction of its own. */
final class JdbcOperations implements Operations {
    private final Connections connections;
    private final Dialect dialect;
    private final String deadLetter;

    JdbcOperations(Connections connections, Dialect dialect) {
        this.connections = connections;
        this.dialect = dialect;
        this.deadLetter = "SELECT id, topic, partition_no, reason, " + dialect.time("died_at")
                + ", message_key, headers, payload, attempts, " + dialect.time("created_at")
                + " FROM outbox_dead_letter WHERE ";
    }

    @Override
    public List<Backlog> backlog() {
        return inTransaction("Asking for the backlog", dialect::backlog);
    }

    @Override
    public List<FailingPartition> failingPartitions() {
        return inTransaction("Asking for failing partitions", connection -> {
            List<FailingPartition> failing = new ArrayList<>();
            try (PreparedStatement statement = connection.prepareStatement(dialect.sql("SELECT p.topic, p.partition_no,"
                            + " coalesce(m.original_id, p.failing_id), coalesce(m.attempts, 1), p.reason, "
                            + dialect.time("p.retry_at")
                            + " FROM outbox_partition p LEFT JOIN outbox_message m ON m.id = p.failing_id"
                            + " WHERE p.failing_id IS NOT NULL ORDER BY p.topic, p.partition_no"));
                    ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    failing.add(new FailingPartition(
                            rows.getString(1),
                            rows.getInt(2),
                            Long.toString(rows.getLong(3)),
                            rows.getInt(4),
                            rows.getString(5),
                            dialect.instant(rows, 6)));
                }
            }
            return failing;
        });
    }

    /** A row that is locked belongs to a batch that is trying it right now: nothing to wait for, nothing to do. */
    @Override
    public boolean retryNow(String topic, int partition) {
        return inTransaction("Ending the delay of a partition", connection -> {
            String row =
                    " FROM outbox_partition p WHERE p.topic = ? AND p.partition_no = ? AND p.failing_id IS NOT NULL";
            if (!exists(connection, "SELECT p.id" + row, topic, partition)) {
                return false;
            }
            if (exists(connection, "SELECT p.id" + row + " FOR UPDATE SKIP LOCKED", topic, partition)) {
                try (PreparedStatement statement =
                        connection.prepareStatement(dialect.sql("UPDATE outbox_partition SET retry_at = "
                                + dialect.now() + " WHERE topic = ? AND partition_no = ?"))) {
                    statement.setString(1, topic);
                    statement.setInt(2, partition);
                    statement.executeUpdate();
                }
            }
            return true;
        });
    }

    private boolean exists(Connection connection, String sql, String topic, int partition) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(dialect.sql(sql))) {
            statement.setString(1, topic);
            statement.setInt(2, partition);
            try (ResultSet rows = statement.executeQuery()) {
                return rows.next();
            }
        }
    }

    @Override
    public List<DeadLetter> deadLetters(String topic, @Nullable String afterId, int limit) {
        if (limit < 1) {
            throw new MisuseException("limit is " + limit + "; expected at least 1.");
        }
        return inTransaction("Asking for dead letters", connection -> {
            String page = afterId == null
                    ? ""
                    : " AND (died_at, id) > (SELECT a.died_at, a.id FROM outbox_dead_letter a WHERE a.id = ?)";
            long after = 0;
            if (afterId != null) {
                after = rowId(afterId);
                if (after == 0
                        || find(connection, deadLetter + "id = ? AND topic = ?", after, topic)
                                .isEmpty()) {
                    throw new MisuseException("There is no dead letter " + afterId + " of topic " + topic
                            + " to start behind; it was redriven or discarded. Start again at the first page.");
                }
            }
            try (PreparedStatement statement = connection.prepareStatement(
                    dialect.sql(deadLetter + "topic = ?" + page + " ORDER BY topic, died_at, id LIMIT ?"))) {
                int i = 1;
                statement.setString(i++, topic);
                if (after != 0) {
                    statement.setLong(i++, after);
                }
                statement.setInt(i, limit);
                return read(statement);
            }
        });
    }

    @Override
    public Optional<DeadLetter> deadLetter(String id) {
        long rowId = rowId(id);
        return rowId == 0
                ? Optional.empty()
                : inTransaction(
                        "Asking for a dead letter",
                        connection -> find(connection, deadLetter + "id = ?", rowId, null).stream()
                                .findFirst());
    }

    /**
     * The row in the outbox is new, so its place is the end; the id the world knows is kept beside it. Two redrives of
     * one dead letter meet at its lock, and the second finds it gone.
     */
    @Override
    public int redrive(Collection<String> ids) {
        return withLocked("Redriving dead letters", ids, (connection, locked) -> {
            try (PreparedStatement insert =
                    connection.prepareStatement(dialect.sql("INSERT INTO outbox_message (topic, partition_no,"
                            + " message_key, headers, payload, created_at, original_id)"
                            + " SELECT topic, partition_no, message_key, headers, payload, created_at, id"
                            + " FROM outbox_dead_letter WHERE id = ?"))) {
                for (long id : locked) {
                    insert.setLong(1, id);
                    insert.executeUpdate();
                }
            }
        });
    }

    @Override
    public int discard(Collection<String> ids) {
        return withLocked("Discarding dead letters", ids, (connection, locked) -> {});
    }

    /** Deletes the dead letters after something was done with them, in the order given. */
    private int withLocked(String doing, Collection<String> ids, Action action) {
        Set<Long> wanted = new LinkedHashSet<>();
        ids.forEach(id -> wanted.add(rowId(id)));
        wanted.remove(0L);
        if (wanted.isEmpty()) {
            return 0;
        }
        return inTransaction(doing, connection -> {
            Set<Long> found = new HashSet<>();
            try (PreparedStatement lock = connection.prepareStatement(
                    dialect.sql("SELECT id FROM outbox_dead_letter WHERE id = ? FOR UPDATE"))) {
                // in order, so that two of us cannot wait for each other
                for (long id : new TreeSet<>(wanted)) {
                    lock.setLong(1, id);
                    try (ResultSet rows = lock.executeQuery()) {
                        if (rows.next()) {
                            found.add(id);
                        }
                    }
                }
            }
            List<Long> locked = wanted.stream().filter(found::contains).toList();
            action.on(connection, locked);
            try (PreparedStatement delete =
                    connection.prepareStatement(dialect.sql("DELETE FROM outbox_dead_letter WHERE id = ?"))) {
                for (long id : locked) {
                    delete.setLong(1, id);
                    delete.executeUpdate();
                }
            }
            return locked.size();
        });
    }

    private List<DeadLetter> find(Connection connection, String sql, long id, @Nullable String topic)
            throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(dialect.sql(sql))) {
            statement.setLong(1, id);
            if (topic != null) {
                statement.setString(2, topic);
            }
            return read(statement);
        }
    }

    private List<DeadLetter> read(PreparedStatement statement) throws SQLException {
        List<DeadLetter> letters = new ArrayList<>();
        try (ResultSet rows = statement.executeQuery()) {
            while (rows.next()) {
                letters.add(new DeadLetter(
                        Rows.message(rows, 6, rows.getLong(1), rows.getString(2), rows.getInt(3), dialect),
                        rows.getString(4),
                        dialect.instant(rows, 5)));
            }
        }
        return letters;
    }

    /** The number in an id, or 0 if we cannot have given it out. */
    private static long rowId(String id) {
        try {
            long rowId = Long.parseLong(id);
            return rowId > 0 && Long.toString(rowId).equals(id) ? rowId : 0;
        } catch (NumberFormatException e) {
            return 0;
        }
    }

    private <T> T inTransaction(String doing, Work<T> work) {
        try (Connections.Lease lease = connections.borrow()) {
            lease.begin();
            T result = work.on(lease.connection());
            lease.commit();
            return result;
        } catch (SQLException e) {
            throw Failures.of(doing, dialect, e);
        }
    }

    @FunctionalInterface
    private interface Work<T> {
        T on(Connection connection) throws SQLException;
    }

    @FunctionalInterface
    private interface Action {
        void on(Connection connection, List<Long> ids) throws SQLException;
    }
}
