package dev.outbox.store.jooq.internal.dialect;

import dev.outbox.PersistedMessage;
import dev.outbox.store.support.Place;
import dev.outbox.store.support.StoreOperations.Placed;
import dev.outbox.store.support.StoreOperations.Portion;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Lists messages in their order, from a place on, by the index that has them so. It reads what is committed, and takes
 * no lock.
 *
 * <p>The first read brings the payloads that are small, and only the sizes of the others, as a checkout does. Then the
 * size of every message is known, and another statement reads the payloads of the large ones that have a place.
 */
public final class ListingQuery {
    private ListingQuery() {}

    /**
     * A row of a listing.
     *
     * @param leftOut the size of the payload if it was not read with the row, else 0
     */
    record Row(Placed placed, long leftOut) {
        long rowId() {
            return placed.place().major();
        }
    }

    /** What is read of a message m. The parameter is the largest payload in bytes that is read with its row. */
    static String columns(Dialect dialect) {
        return columns(dialect, "CASE WHEN octet_length(m.payload) <= ? THEN m.payload END")
                + ", octet_length(m.payload)";
    }

    private static String columns(Dialect dialect, String payload) {
        return "m.id, m.original_id, m.message_id, m.topic, m.partition_no, m.message_key, m.headers, " + payload
                + ", m.attempts, " + dialect.time("m.created_at");
    }

    /** The start of a query for the other {@code add}, which has no other parameters. */
    public static String selectWhole(Dialect dialect) {
        return "SELECT " + columns(dialect, "m.payload") + " FROM outbox_message m WHERE ";
    }

    /**
     * A portion of the messages of a topic.
     *
     * @param last the last partition that is wanted
     * @param bytes the portion ends with the message with which it has this number of bytes
     */
    public static Portion read(
            Connection connection, Dialect dialect, String topic, Place after, int last, int limit, long bytes)
            throws SQLException {
        // They are expected to be as large as those that are known. Some are larger.
        long whole = Math.max(1, 2 * bytes / limit);
        List<Row> rows = dialect.pending(connection, topic, after, last, limit, whole);
        int count = 0;
        for (long left = bytes; count < rows.size() && left > 0; count++) {
            Row row = rows.get(count);
            left -= row.placed().bytes() + row.leftOut();
        }
        List<Row> kept = rows.subList(0, count);
        boolean more = count < rows.size() || count == limit;
        return new Portion(
                complete(connection, dialect, kept),
                more ? kept.get(count - 1).placed().place() : null);
    }

    /** With the payloads that were left out. A row that is gone has been settled meanwhile, and waits no longer. */
    private static List<Placed> complete(Connection connection, Dialect dialect, List<Row> rows) throws SQLException {
        String ids = rows.stream()
                .filter(row -> row.leftOut() > 0)
                .map(row -> String.valueOf(row.rowId()))
                .collect(Collectors.joining(", "));
        Map<Long, byte[]> payloads = new HashMap<>();
        Map<Long, String> unreadable = new HashMap<>();
        if (!ids.isEmpty()) {
            try (Statement statement = connection.createStatement();
                    ResultSet found = statement.executeQuery(dialect.sql("SELECT m.id, m.payload FROM outbox_message m"
                            + dialect.byIds() + " WHERE m.id IN (" + ids + ")"))) {
                RowReader.leftOut(found, payloads, unreadable);
            }
        }
        List<Placed> messages = new ArrayList<>();
        for (Row row : rows) {
            byte[] payload = payloads.get(row.rowId());
            if (row.leftOut() == 0 || unreadable.containsKey(row.rowId())) {
                messages.add(row.placed());
            } else if (payload != null) {
                messages.add(with(row.placed(), payload));
            }
        }
        return messages;
    }

    private static Placed with(Placed placed, byte[] payload) {
        PersistedMessage m = placed.message();
        return new Placed(
                placed.place(),
                new PersistedMessage(
                        m.id(), m.topic(), m.partition(), m.key(), m.headers(), payload, m.attempts(), m.createdAt()));
    }

    /**
     * The messages of a database that does not see a range of the index in a comparison of rows. It is asked for the
     * rest of the first partition, and then for the partitions after it.
     *
     * @param hint that names the index to be used, or nothing
     * @param order what to sort by, so that the database sees that the index has them so
     */
    static List<Row> of(
            Connection connection,
            Dialect dialect,
            String hint,
            String order,
            String topic,
            Place after,
            int last,
            int limit,
            long whole)
            throws SQLException {
        List<Row> found = new ArrayList<>();
        try (PreparedStatement inPartition = connection.prepareStatement(inPartition(dialect, hint, order))) {
            inPartition.setLong(1, whole);
            inPartition.setString(2, topic);
            inPartition.setInt(3, after.partition());
            inPartition.setLong(4, after.major());
            inPartition.setInt(5, limit);
            add(inPartition, dialect, whole, found);
        }
        if (found.size() < limit && after.partition() < last) {
            try (PreparedStatement later = connection.prepareStatement(later(dialect, hint, order))) {
                later.setLong(1, whole);
                later.setString(2, topic);
                later.setInt(3, after.partition() + 1);
                later.setInt(4, last);
                later.setInt(5, limit - found.size());
                add(later, dialect, whole, found);
            }
        }
        return found;
    }

    private static String inPartition(Dialect dialect, String hint, String order) {
        return dialect.sql("SELECT " + columns(dialect) + " FROM outbox_message m" + hint
                + " WHERE m.topic = ? AND m.partition_no = ? AND m.id > ? ORDER BY " + order + " "
                + dialect.limit("?"));
    }

    /** With >, H2 would begin with the partition that was read, and pass over all that is left of it. */
    private static String later(Dialect dialect, String hint, String order) {
        return dialect.sql("SELECT " + columns(dialect) + " FROM outbox_message m" + hint
                + " WHERE m.topic = ? AND m.partition_no >= ? AND m.partition_no <= ? ORDER BY " + order + " "
                + dialect.limit("?"));
    }

    /** Adds the messages of a query with our {@link #columns}. Of one that was spoilt, what can be read of it. */
    static void add(PreparedStatement statement, Dialect dialect, long whole, List<Row> found) throws SQLException {
        try (ResultSet rows = statement.executeQuery()) {
            while (rows.next()) {
                long size = rows.getLong(11);
                found.add(new Row(placed(rows, dialect), size > whole ? size : 0));
            }
        }
    }

    /** Adds the messages of a query that {@link #selectWhole} begins. */
    public static void add(PreparedStatement statement, Dialect dialect, List<Placed> found) throws SQLException {
        try (ResultSet rows = statement.executeQuery()) {
            while (rows.next()) {
                found.add(placed(rows, dialect));
            }
        }
    }

    private static Placed placed(ResultSet rows, Dialect dialect) throws SQLException {
        long rowId = rows.getLong(1);
        String id = RowReader.id(rows.getString(3), rows.getLong(2), rowId);
        String topic = rows.getString(4);
        int partition = rows.getInt(5);
        Place place = new Place(partition, rowId, 0);
        try {
            return new Placed(place, RowReader.message(rows, 6, id, topic, partition, dialect));
        } catch (UnreadableRow e) {
            return new Placed(place, RowReader.readable(rows, 6, id, topic, partition, dialect));
        }
    }
}
