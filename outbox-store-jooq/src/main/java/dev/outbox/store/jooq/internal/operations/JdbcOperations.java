package dev.outbox.store.jooq.internal.operations;

import dev.outbox.DeadLetter;
import dev.outbox.MisuseException;
import dev.outbox.Operations;
import dev.outbox.OutboxException;
import dev.outbox.store.jooq.internal.connection.BorrowedConnection;
import dev.outbox.store.jooq.internal.connection.Connections;
import dev.outbox.store.jooq.internal.connection.ReadOnly;
import dev.outbox.store.jooq.internal.dialect.Dialect;
import dev.outbox.store.jooq.internal.dialect.RowReader;
import dev.outbox.store.jooq.internal.dialect.UnreadableRow;
import dev.outbox.store.jooq.internal.opening.Rehearsal;
import dev.outbox.store.jooq.internal.schema.StoreErrors;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/** {@link Operations} by plain statements, each call a transaction of its own. */
public final class JdbcOperations implements Operations {
    /** A UUID as it is usually written, or a number. */
    private static final Pattern ID =
            Pattern.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[1-9][0-9]{0,18}");

    private static final int UUID_LENGTH = 36;

    private final Connections connections;
    private final Dialect dialect;
    private final String deadLetter;

    public JdbcOperations(Connections connections, Dialect dialect) {
        this.connections = connections;
        this.dialect = dialect;
        this.deadLetter = "SELECT id, message_id, topic, partition_no, reason, " + dialect.time("died_at")
                + ", message_key, headers, payload, attempts, " + dialect.time("created_at")
                + " FROM outbox_dead_letter WHERE ";
    }

    @Override
    public List<Backlog> backlog() {
        return inTransaction("Asking for the backlog", dialect::backlog).stream()
                .filter(partition -> !partition.topic().equals(Rehearsal.TOPIC))
                .toList();
    }

    @Override
    public List<FailingPartition> failingPartitions() {
        return inTransaction("Asking for failing partitions", connection -> {
            List<FailingPartition> failing = new ArrayList<>();
            try (PreparedStatement statement = connection.prepareStatement(dialect.sql("SELECT p.topic, p.partition_no,"
                            + " m.message_id, m.original_id, p.failing_id, coalesce(m.attempts, 1), p.reason, "
                            + dialect.time("p.retry_at")
                            + " FROM outbox_partition p LEFT JOIN outbox_message m ON m.id = p.failing_id"
                            + " WHERE p.failing_id IS NOT NULL AND " + failsStill()
                            + " ORDER BY p.topic, p.partition_no"));
                    ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    failing.add(new FailingPartition(
                            rows.getString(1),
                            rows.getInt(2),
                            RowReader.id(rows.getString(3), rows.getLong(4), rows.getLong(5)),
                            rows.getInt(6),
                            rows.getString(7),
                            dialect.instant(rows, 8)));
                }
            }
            return failing;
        });
    }

    /** An operator may have deleted the row of the message. Its delay then ends by itself, and nothing fails. */
    private String failsStill() {
        return "(EXISTS (SELECT 1 FROM outbox_message f WHERE f.id = p.failing_id) OR p.retry_at > " + dialect.now()
                + ")";
    }

    /** A row that is locked belongs to a batch that is trying it right now: nothing to wait for, nothing to do. */
    @Override
    public boolean retryNow(String topic, int partition) {
        return inTransaction("Ending the delay of a partition", connection -> {
            String row =
                    " FROM outbox_partition p WHERE p.topic = ? AND p.partition_no = ? AND p.failing_id IS NOT NULL";
            if (!exists(connection, "SELECT p.id" + row + " AND " + failsStill(), topic, partition)) {
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
                // Of several of one id the last, or pages would go round in a circle.
                after = rowIds(connection, afterId, topic).reduce(0, (one, next) -> next);
                if (after == 0) {
                    throw new MisuseException("There is no dead letter " + afterId + " of topic " + topic
                            + " to start behind; it was redriven or discarded. Start again at the first page.");
                }
            }
            try (PreparedStatement statement = connection.prepareStatement(dialect.sql(
                    deadLetter + "topic = ?" + page + " ORDER BY topic, died_at, id " + dialect.limit("?")))) {
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
        return inTransaction("Asking for a dead letter", connection -> {
            OptionalLong first = rowIds(connection, id, null).findFirst();
            if (first.isEmpty()) {
                return Optional.empty();
            }
            try (PreparedStatement statement = connection.prepareStatement(dialect.sql(deadLetter + "id = ?"))) {
                statement.setLong(1, first.getAsLong());
                return read(statement).stream().findFirst();
            }
        });
    }

    /**
     * The row in the outbox is new, so its place is the end; the id the world knows goes with it. Two redrives of one dead
     * letter meet at its lock, and the second finds it gone. Libraries that know no other ids than numbers find those where
     * they look for them.
     */
    @Override
    public int redrive(Collection<String> ids) {
        return withLocked("Redriving dead letters", ids, (connection, locked) -> {
            try (PreparedStatement insert =
                    connection.prepareStatement(dialect.sql("INSERT INTO outbox_message (topic, partition_no,"
                            + " message_key, headers, payload, created_at, message_id, original_id)"
                            + " SELECT topic, partition_no, message_key, headers, payload, created_at, ?, ?"
                            + " FROM outbox_dead_letter WHERE id = ?"))) {
                for (Letter letter : locked) {
                    insert.setString(1, letter.id());
                    long number = number(letter.id());
                    if (number == 0) {
                        insert.setNull(2, Types.BIGINT);
                    } else {
                        insert.setLong(2, number);
                    }
                    insert.setLong(3, letter.rowId());
                    insert.executeUpdate();
                }
            }
        });
    }

    @Override
    public int discard(Collection<String> ids) {
        return withLocked("Discarding dead letters", ids, (connection, locked) -> {});
    }

    /** A dead letter by its row and by the id of its message. */
    private record Letter(long rowId, String id) {}

    /** Deletes the dead letters after something was done with them, in the order given. */
    private int withLocked(String doing, Collection<String> ids, Action action) {
        Set<String> wanted = new LinkedHashSet<>(ids);
        wanted.removeIf(id -> !isId(id));
        if (wanted.isEmpty()) {
            return 0;
        }
        return inTransaction(doing, connection -> {
            List<Letter> found = new ArrayList<>();
            for (String id : wanted) {
                rowIds(connection, id, null).forEach(rowId -> found.add(new Letter(rowId, id)));
            }
            Set<Long> locked = new HashSet<>();
            try (PreparedStatement lock = connection.prepareStatement(
                    dialect.sql("SELECT id FROM outbox_dead_letter WHERE id = ? FOR UPDATE"))) {
                // in order, so that two of us cannot wait for each other
                for (long rowId : found.stream().map(Letter::rowId).sorted().toList()) {
                    lock.setLong(1, rowId);
                    try (ResultSet rows = lock.executeQuery()) {
                        if (rows.next()) {
                            locked.add(rowId);
                        }
                    }
                }
            }
            found.removeIf(letter -> !locked.contains(letter.rowId()));
            action.on(connection, found);
            try (PreparedStatement delete =
                    connection.prepareStatement(dialect.sql("DELETE FROM outbox_dead_letter WHERE id = ?"))) {
                for (Letter letter : found) {
                    delete.setLong(1, letter.rowId());
                    delete.executeUpdate();
                }
            }
            return found.size();
        });
    }

    /**
     * The rows of the dead letters of an id, those that died first coming first. What was buried by a library that knew no
     * other ids is found by its number.
     */
    private LongStream rowIds(Connection connection, String id, @Nullable String topic) throws SQLException {
        LongStream.Builder found = LongStream.builder();
        if (!isId(id)) {
            return found.build();
        }
        long number = number(id);
        try (PreparedStatement statement =
                connection.prepareStatement(dialect.sql("SELECT id FROM outbox_dead_letter WHERE "
                        + (number == 0 ? "message_id = ?" : "(message_id = ? OR message_id IS NULL AND id = ?)")
                        + (topic == null ? "" : " AND topic = ?") + " ORDER BY died_at, id"))) {
            int i = 1;
            statement.setString(i++, id);
            if (number != 0) {
                statement.setLong(i++, number);
            }
            if (topic != null) {
                statement.setString(i, topic);
            }
            try (ResultSet rows = statement.executeQuery()) {
                while (rows.next()) {
                    found.add(rows.getLong(1));
                }
            }
        }
        return found.build();
    }

    private List<DeadLetter> read(PreparedStatement statement) throws SQLException {
        List<DeadLetter> letters = new ArrayList<>();
        try (ResultSet rows = statement.executeQuery()) {
            while (rows.next()) {
                letters.add(letter(rows));
            }
        }
        return letters;
    }

    /** Also one that somebody has spoilt: what can be read of it, and what cannot. */
    private DeadLetter letter(ResultSet rows) throws SQLException {
        String id = RowReader.id(rows.getString(2), 0, rows.getLong(1));
        String topic = rows.getString(3);
        int partition = rows.getInt(4);
        String reason = rows.getString(5);
        Instant diedAt = dialect.instant(rows, 6);
        try {
            return new DeadLetter(RowReader.message(rows, 7, id, topic, partition, dialect), reason, diedAt);
        } catch (UnreadableRow e) {
            return new DeadLetter(
                    RowReader.readable(rows, 7, id, topic, partition, dialect),
                    reason + " (This row of the dead letters cannot be read: " + e.getMessage() + ".)",
                    diedAt);
        }
    }

    /** Whether it can be an id: a text that the database is not even asked for may be as strange as it likes. */
    private static boolean isId(String text) {
        return ID.matcher(text).matches();
    }

    /** The number that an id is, if it was given out by a library that had no others; else 0. */
    private static long number(String id) {
        try {
            return id.length() == UUID_LENGTH ? 0 : Long.parseLong(id);
        } catch (NumberFormatException e) {
            return 0; // more than there ever were
        }
    }

    private <T> T inTransaction(String doing, Work<T> work) {
        try (BorrowedConnection lease = connections.borrow()) {
            return inTransaction(lease, doing, work);
        } catch (SQLException e) {
            throw StoreErrors.of(doing, dialect, e);
        } catch (RuntimeException e) {
            throw e instanceof OutboxException ? e : StoreErrors.unexpected(doing, e);
        }
    }

    /** On a standby that lags, or stands still, what can be read would be taken for how it is. */
    private <T> T inTransaction(BorrowedConnection lease, String doing, Work<T> work) throws SQLException {
        try {
            lease.begin();
            T result = work.on(lease.connection());
            lease.commit();
            return result;
        } catch (SQLException e) {
            if (dialect.isReadOnly(e)) {
                throw ReadOnly.failure(doing, lease, dialect, e);
            }
            throw e;
        }
    }

    @FunctionalInterface
    private interface Work<T> {
        T on(Connection connection) throws SQLException;
    }

    @FunctionalInterface
    private interface Action {
        void on(Connection connection, List<Letter> letters) throws SQLException;
    }
}
