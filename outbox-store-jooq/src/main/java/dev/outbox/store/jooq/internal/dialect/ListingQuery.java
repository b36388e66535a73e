package dev.outbox.store.jooq.internal.dialect;

import dev.outbox.PersistedMessage;
import dev.outbox.store.support.Place;
import dev.outbox.store.support.StoreOperations.Placed;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;

/**
 * Lists messages in their order, from a place on, by the index that has them so. It reads what is committed, and takes
 * no lock.
 */
public final class ListingQuery {
    private ListingQuery() {}

    /** What is read of a message m, for {@link #add}. */
    public static String columns(Dialect dialect) {
        return "m.id, m.original_id, m.message_id, m.topic, m.partition_no, m.message_key, m.headers, m.payload,"
                + " m.attempts, " + dialect.time("m.created_at");
    }

    /**
     * The messages of a database that does not see a range of the index in a comparison of rows. It is asked for the
     * rest of the first partition, and then for the partitions after it.
     *
     * @param hint that names the index to be used, or nothing
     * @param order what to sort by, so that the database sees that the index has them so
     */
    static List<Placed> of(
            Connection connection,
            Dialect dialect,
            String hint,
            String order,
            String topic,
            Place after,
            int last,
            int limit)
            throws SQLException {
        List<Placed> found = new ArrayList<>();
        try (PreparedStatement inPartition = connection.prepareStatement(inPartition(dialect, hint, order))) {
            inPartition.setString(1, topic);
            inPartition.setInt(2, after.partition());
            inPartition.setLong(3, after.major());
            inPartition.setInt(4, limit);
            add(inPartition, dialect, found);
        }
        if (found.size() < limit && after.partition() < last) {
            try (PreparedStatement later = connection.prepareStatement(later(dialect, hint, order))) {
                later.setString(1, topic);
                later.setInt(2, after.partition() + 1);
                later.setInt(3, last);
                later.setInt(4, limit - found.size());
                add(later, dialect, found);
            }
        }
        return found;
    }

    static String inPartition(Dialect dialect, String hint, String order) {
        return dialect.sql("SELECT " + columns(dialect) + " FROM outbox_message m" + hint
                + " WHERE m.topic = ? AND m.partition_no = ? AND m.id > ? ORDER BY " + order + " "
                + dialect.limit("?"));
    }

    /** With >, H2 would begin with the partition that was read, and pass over all that is left of it. */
    static String later(Dialect dialect, String hint, String order) {
        return dialect.sql("SELECT " + columns(dialect) + " FROM outbox_message m" + hint
                + " WHERE m.topic = ? AND m.partition_no >= ? AND m.partition_no <= ? ORDER BY " + order + " "
                + dialect.limit("?"));
    }

    /** Adds the messages of a query with our {@link #columns}. Of one that was spoilt, what can be read of it. */
    public static void add(PreparedStatement statement, Dialect dialect, List<Placed> found) throws SQLException {
        try (ResultSet rows = statement.executeQuery()) {
            while (rows.next()) {
                long rowId = rows.getLong(1);
                int partition = rows.getInt(5);
                found.add(new Placed(new Place(partition, rowId, 0), message(rows, dialect)));
            }
        }
    }

    private static PersistedMessage message(ResultSet rows, Dialect dialect) throws SQLException {
        String id = RowReader.id(rows.getString(3), rows.getLong(2), rows.getLong(1));
        String topic = rows.getString(4);
        int partition = rows.getInt(5);
        try {
            return RowReader.message(rows, 6, id, topic, partition, dialect);
        } catch (UnreadableRow e) {
            return RowReader.readable(rows, 6, id, topic, partition, dialect);
        }
    }
}
