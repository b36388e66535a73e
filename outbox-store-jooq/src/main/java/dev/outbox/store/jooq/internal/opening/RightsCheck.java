package dev.outbox.store.jooq.internal.opening;

import dev.outbox.store.jooq.internal.dialect.Dialect;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;

/**
 * Checks that a relay may do all that it will have to do. Otherwise the relay would publish first, and then learn that
 * it may not delete. The check runs statements like those of a relay that find no rows. Every database checks rights,
 * and whether it accepts writes at all, before it looks for rows.
 */
public final class RightsCheck {
    private static final String ADDING_PARTITIONS =
            "INSERT INTO outbox_partition (topic, partition_no) SELECT topic, partition_no FROM outbox_message WHERE 1 = 0";

    private static final List<String> WITHOUT_EFFECT = List.of(
            "SELECT id FROM outbox_partition WHERE 1 = 0 FOR UPDATE",
            ADDING_PARTITIONS,
            "UPDATE outbox_partition SET failing_id = NULL WHERE 1 = 0",
            "UPDATE outbox_message SET attempts = 0 WHERE 1 = 0",
            "DELETE FROM outbox_message WHERE 1 = 0",
            """
            INSERT INTO outbox_message (topic, partition_no, payload)
            SELECT topic, partition_no, payload FROM outbox_dead_letter WHERE 1 = 0
            """,
            """
            INSERT INTO outbox_dead_letter (id, topic, partition_no, payload, attempts, created_at, reason, died_at)
            SELECT id, topic, partition_no, payload, attempts, created_at, topic, created_at
            FROM outbox_message WHERE 1 = 0
            """,
            "SELECT id FROM outbox_dead_letter WHERE 1 = 0 FOR UPDATE",
            "DELETE FROM outbox_dead_letter WHERE 1 = 0");

    private RightsCheck() {}

    /**
     * Fails with the error of the database if a right is missing or the database accepts no writes. Must be called in a
     * transaction like that of a batch, because the transaction matters: a MySQL server that logs statements accepts no
     * changes in READ COMMITTED.
     */
    static void run(Connection connection, Dialect dialect) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            for (String sql : WITHOUT_EFFECT) {
                statement.execute(dialect.sql(sql));
            }
        }
    }

    /** The same for the statement that a relay runs in auto-commit mode. */
    static void runOutsideOfTransactions(Connection connection, Dialect dialect) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            statement.execute(dialect.sql(ADDING_PARTITIONS));
        }
    }
}
