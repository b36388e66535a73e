package dev.outbox.store.jooq.internal.dialect;

import dev.outbox.PersistedMessage;
import dev.outbox.store.jooq.internal.partition.DiscoveryQuery;
import dev.outbox.store.jooq.internal.partition.HeldPartition;
import dev.outbox.store.jooq.internal.partition.Partition;
import dev.outbox.store.support.HeadersJson;
import java.io.UncheckedIOException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Makes messages of rows. */
public final class RowReader {
    /** In the place of a payload that was left out; no other message has this object. */
    private static final byte[] LEFT_OUT = new byte[0];

    private RowReader() {}

    /**
     * Adds the rows of a read to their partitions. Columns: id, original_id, message_id, message_key, headers,
     * payload, attempts, created_at, size of the payload. The payload is missing if it is larger than {@link
     * HeldPartition#whole}. If there is more than one partition, the number n of the partition, from 1, comes before
     * these columns.
     */
    static void read(ResultSet rows, List<HeldPartition> partitions, Dialect dialect) throws SQLException {
        boolean one = partitions.size() == 1;
        while (rows.next()) {
            if (one) {
                add(rows, 1, partitions.get(0), dialect);
            } else {
                add(rows, 2, partitions.get(rows.getInt(1) - 1), dialect);
            }
        }
    }

    /** Reads partitions by a statement with the parameters of {@link #setRead}. */
    static void read(Connection connection, String sql, List<HeldPartition> partitions, Dialect dialect)
            throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            setRead(statement, 1, partitions);
            try (ResultSet rows = statement.executeQuery()) {
                read(rows, partitions, dialect);
            }
        }
    }

    /**
     * Sets the parameters of such a read. For each partition these are n, unless it is the only one, the largest
     * payload to read with its row, topic, number, the row to begin after, and the number of rows.
     */
    static void setRead(PreparedStatement statement, int first, List<HeldPartition> partitions) throws SQLException {
        int i = first;
        for (int n = 0; n < partitions.size(); n++) {
            HeldPartition held = partitions.get(n);
            if (partitions.size() > 1) {
                statement.setInt(i++, n + 1);
            }
            statement.setLong(i++, held.whole);
            statement.setString(i++, held.partition.topic());
            statement.setInt(i++, held.partition.number());
            statement.setLong(i++, held.after);
            statement.setLong(i++, held.rows);
        }
    }

    /** As {@link #read}, with other columns at the beginning, n and failing_id. */
    static void readWithFailing(ResultSet rows, List<HeldPartition> partitions, Dialect dialect) throws SQLException {
        while (rows.next()) {
            HeldPartition held = partitions.get(rows.getInt(1) - 1);
            held.failingId = rows.getLong(2);
            add(rows, 3, held, dialect);
        }
    }

    private static void add(ResultSet rows, int first, HeldPartition held, Dialect dialect) throws SQLException {
        if (held.problem != null) {
            return;
        }
        if (held.isFull()) {
            held.hasMore = true;
            return;
        }
        long rowId = rows.getLong(first);
        String messageId = rows.getString(first + 2);
        String id = messageId != null ? messageId : id(null, rows.getLong(first + 1), rowId);
        PersistedMessage message;
        try {
            message =
                    message(rows, first + 3, id, held.partition.topic(), held.partition.number(), held.whole, dialect);
        } catch (UnreadableRow e) {
            held.endBefore(rowId, e.getMessage());
            return;
        }
        held.add(rowId, message, isLeftOut(message) ? (int) rows.getLong(first + 8) : 0);
    }

    @SuppressWarnings("ReferenceEquality") // a payload that was read may be empty, too
    private static boolean isLeftOut(PersistedMessage message) {
        return message.payload() == LEFT_OUT;
    }

    /** Reads the payloads that were left out, and the reasons why others are unreadable. Columns: id, payload. */
    public static void leftOut(ResultSet rows, Map<Long, byte[]> payloads, Map<Long, String> unreadable)
            throws SQLException {
        while (rows.next()) {
            long rowId = rows.getLong(1);
            try {
                payloads.put(rowId, value("payload", () -> rows.getBytes(2), false));
            } catch (UnreadableRow e) {
                unreadable.put(rowId, String.valueOf(e.getMessage()));
            }
        }
    }

    /**
     * The id of a message. What a library wrote that knew no ids but those of rows is called as it was called then: by
     * the number of its row, or of its first one if it was redriven.
     */
    public static String id(@Nullable String messageId, long originalId, long rowId) {
        return messageId == null ? Long.toString(originalId == 0 ? rowId : originalId) : messageId;
    }

    /** Executes a take, before which a transaction may begin, and returns the ids. */
    static List<Integer> taken(PreparedStatement statement) throws SQLException {
        List<Integer> taken = new ArrayList<>();
        try (ResultSet rows = answerToTake(statement)) {
            while (rows.next()) {
                taken.add(rows.getInt(1));
            }
        }
        return taken;
    }

    /** The same where rows are locked. Columns: id, topic, partition_no, failing_id. */
    static List<Integer> locked(PreparedStatement statement, List<HeldPartition> wanted) throws SQLException {
        Map<Partition, HeldPartition> partitions = new HashMap<>(2 * wanted.size());
        wanted.forEach(held -> partitions.put(held.partition, held));
        List<Integer> taken = new ArrayList<>(wanted.size());
        try (ResultSet rows = answerToTake(statement)) {
            while (rows.next()) {
                Partition locked = new Partition(rows.getInt(1), rows.getString(2), rows.getInt(3));
                HeldPartition held = partitions.get(locked);
                if (held != null) {
                    held.failingId = rows.getLong(4);
                    taken.add(locked.id());
                }
            }
        }
        return taken;
    }

    /** The first row of a partition after another one, by a statement with topic, number, row; 0 if there is none. */
    static long head(Connection connection, String sql, Partition partition, long after) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(sql)) {
            statement.setString(1, partition.topic());
            statement.setInt(2, partition.number());
            statement.setLong(3, after);
            return first(statement);
        }
    }

    /** Executes a query for one number, and returns it, or 0 if there is none. */
    static long first(PreparedStatement statement) throws SQLException {
        try (ResultSet rows = statement.executeQuery()) {
            return rows.next() ? rows.getLong(1) : 0;
        }
    }

    private static ResultSet answerToTake(PreparedStatement statement) throws SQLException {
        if (!statement.execute() && !statement.getMoreResults()) {
            throw new IllegalStateException("The database answered to a take without a result");
        }
        return statement.getResultSet();
    }

    /** What was read by the statement that was sent with a take, when that has been looked at. */
    static ResultSet readWithTake(PreparedStatement statement) throws SQLException {
        if (!statement.getMoreResults()) {
            throw new IllegalStateException("The database answered to a take and a read with one result");
        }
        return statement.getResultSet();
    }

    /** Reads the answer to a discovery that was sent after a take and a read, as their next query. */
    static void answer(DiscoveryQuery query, PreparedStatement statement) throws SQLException {
        while (!statement.getMoreResults()) {
            if (statement.getUpdateCount() == -1) {
                throw new IllegalStateException("The database did not answer to a look for partitions");
            }
        }
        try (ResultSet rows = statement.getResultSet()) {
            query.answer(rows);
        }
    }

    /** A message whose message_key, headers, payload, attempts and created_at start at a column. */
    public static PersistedMessage message(
            ResultSet rows, int column, String id, String topic, int partition, Dialect dialect)
            throws SQLException, UnreadableRow {
        return message(rows, column, id, topic, partition, Long.MAX_VALUE, dialect);
    }

    /**
     * The same of a read that leaves larger payloads out, and gives the size in the column after the others. Each
     * column is read here and not by a function, because that would make an object for each.
     */
    private static PersistedMessage message(
            ResultSet rows, int column, String id, String topic, int partition, long whole, Dialect dialect)
            throws SQLException, UnreadableRow {
        String reading = "message_key";
        try {
            String key = rows.getString(column);
            reading = "headers";
            Map<String, String> headers = headers(rows.getString(column + 1));
            reading = "payload";
            byte[] payload = rows.getBytes(column + 2);
            if (payload == null) {
                if (whole == Long.MAX_VALUE || rows.getLong(column + 5) <= whole) {
                    throw unreadable(reading, "is null", null);
                }
                payload = LEFT_OUT;
            }
            reading = "attempts";
            int attempts = rows.getInt(column + 3);
            reading = "created_at";
            Instant createdAt = dialect.instant(rows, column + 4);
            if (attempts < 0 || partition < 0) {
                throw unreadable(attempts < 0 ? "attempts" : "partition_no", "is negative", null);
            }
            return new PersistedMessage(id, topic, partition, key, headers, payload, attempts, createdAt);
        } catch (SQLException | RuntimeException e) {
            throw unreadable(reading, e);
        }
    }

    /** What can be read of such a row, to be shown: the rest is empty. */
    public static PersistedMessage readable(
            ResultSet rows, int column, String id, String topic, int partition, Dialect dialect) throws SQLException {
        return new PersistedMessage(
                id,
                topic,
                partition,
                keyOrNull(rows, column),
                orElse(() -> value("headers", () -> headers(rows.getString(column + 1)), false), Map.of()),
                orElse(() -> value("payload", () -> rows.getBytes(column + 2), false), new byte[0]),
                orElse(() -> value("attempts", () -> rows.getInt(column + 3), false), 0),
                orElse(() -> value("created_at", () -> dialect.instant(rows, column + 4), false), Instant.EPOCH));
    }

    private static @Nullable String keyOrNull(ResultSet rows, int column) throws SQLException {
        try {
            return value("message_key", () -> rows.getString(column), true);
        } catch (UnreadableRow e) {
            return null;
        }
    }

    private interface Value<T extends @Nullable Object> {
        T get() throws SQLException, UnreadableRow;
    }

    private static <T extends @Nullable Object> T orElse(Value<T> value, T other) throws SQLException {
        try {
            return value.get();
        } catch (UnreadableRow e) {
            return other;
        }
    }

    private static Map<String, String> headers(@Nullable String stored) {
        return stored == null ? Map.of() : HeadersJson.read(stored);
    }

    /** A row has been received as a whole, so what its columns make a driver throw is about what is in them. */
    private static <T extends @Nullable Object> T value(String column, Value<T> value, boolean mayBeNull)
            throws SQLException, UnreadableRow {
        try {
            T read = value.get();
            if (read == null && !mayBeNull) {
                throw unreadable(column, "is null", null);
            }
            return read;
        } catch (SQLException | RuntimeException e) {
            throw unreadable(column, e);
        }
    }

    private static UnreadableRow unreadable(String column, Exception e) throws SQLException {
        if (e instanceof UncheckedIOException) {
            return unreadable(column, "is not a JSON object of texts", e);
        }
        if (e instanceof SQLException error) {
            if (String.valueOf(error.getSQLState()).startsWith("08")) {
                throw error;
            }
            return unreadable(column, "cannot be read: " + e.getMessage(), e);
        }
        return unreadable(column, "cannot be read: " + e, e);
    }

    private static UnreadableRow unreadable(String column, String what, @Nullable Exception cause) {
        return new UnreadableRow("its column " + column + " " + what, cause);
    }
}
