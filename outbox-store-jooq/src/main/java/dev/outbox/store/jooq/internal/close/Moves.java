package dev.outbox.store.jooq.internal.close;

import dev.outbox.spi.Outcome;
import dev.outbox.store.jooq.internal.dialect.Dialect;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * The messages of a batch that move to another topic. One statement writes many of them, because an operator may move
 * a million. The payloads stay on the server.
 */
final class Moves {
    /** A statement of this length has about 20 kB. Every server accepts that, and looks each row up by its id. */
    private static final int AT_A_TIME = 500;

    /**
     * Each new row gets the next id, and so is at the end of its partition. The order of the ids is that of the old
     * rows, so messages of a partition stay in order. The read takes no lock: the batch holds the partition, and the
     * isolation is READ COMMITTED.
     */
    private static final String WRITE = """
            INSERT INTO outbox_message
                (topic, partition_no, message_key, headers, payload, created_at, message_id, original_id)
            SELECT ?, CASE m.id %s END, m.message_key, m.headers, m.payload, m.created_at,
                coalesce(m.message_id, concat('', coalesce(m.original_id, m.id))),
                CASE WHEN m.message_id IS NULL THEN coalesce(m.original_id, m.id) ELSE m.original_id END
            FROM outbox_message m%s
            WHERE m.id IN (%s)
            ORDER BY m.id
            """;

    /** A row, and its partition in the other topic. */
    private record Move(long rowId, int partition) {}

    private final Map<String, List<Move>> byTopic = new LinkedHashMap<>();
    private int size;

    void add(long rowId, Outcome.Moved to) {
        byTopic.computeIfAbsent(to.topic(), none -> new ArrayList<>()).add(new Move(rowId, to.partition()));
        size++;
    }

    /** Writes the messages to their new partitions. Returns the number of rows that were no longer there. */
    int write(Connection connection, Dialect dialect) throws SQLException {
        if (size == 0) {
            return 0;
        }
        dialect.becomeWriter(connection);
        int written = 0;
        for (Map.Entry<String, List<Move>> moves : byTopic.entrySet()) {
            List<Move> all = moves.getValue();
            for (int from = 0; from < all.size(); from += AT_A_TIME) {
                List<Move> some = all.subList(from, Math.min(all.size(), from + AT_A_TIME));
                try (PreparedStatement statement = connection.prepareStatement(dialect.sql(sql(some, dialect)))) {
                    statement.setString(1, moves.getKey());
                    written += statement.executeUpdate();
                }
            }
        }
        return size - written;
    }

    private static String sql(List<Move> moves, Dialect dialect) {
        String partitions = moves.stream()
                .map(move -> "WHEN " + move.rowId() + " THEN " + move.partition())
                .collect(Collectors.joining(" "));
        String ids = moves.stream().map(move -> Long.toString(move.rowId())).collect(Collectors.joining(", "));
        return WRITE.formatted(partitions, dialect.byIds(), ids);
    }
}
