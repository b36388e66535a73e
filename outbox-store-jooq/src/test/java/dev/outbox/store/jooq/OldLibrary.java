package dev.outbox.store.jooq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.store.jooq.internal.dialect.Dialect;
import dev.outbox.store.jooq.internal.schema.DdlScripts;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/** The statements of the library that worked with version 1 of the tables, for which ids were the numbers of rows. */
final class OldLibrary {
    private final Dialect dialect;

    OldLibrary(Dialect dialect) {
        this.dialect = dialect;
    }

    /** The tables that it made. */
    String[] ddl() {
        return DdlScripts.statements(
                dialect.sql(DdlScripts.resource(dialect.ddlResource().replace("ddl/", "ddl-1/"))));
    }

    /** What it looked at when a store was opened. */
    void opens(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            try (ResultSet row =
                    statement.executeQuery(dialect.sql("SELECT s.version, s.lock_key FROM outbox_schema s"))) {
                assertTrue(row.next());
                assertEquals(1, row.getInt(1));
            }
            for (String sql : List.of(
                    "SELECT 1 FROM outbox_schema s LEFT JOIN (SELECT id, original_id FROM outbox_message WHERE 1 = 0) m ON 1 = 0"
                            + " LEFT JOIN (SELECT id, failing_id FROM outbox_partition WHERE 1 = 0) p ON 1 = 0"
                            + " LEFT JOIN (SELECT id, died_at FROM outbox_dead_letter WHERE 1 = 0) d ON 1 = 0",
                    "INSERT INTO outbox_message (topic, partition_no, payload)"
                            + " SELECT topic, partition_no, payload FROM outbox_dead_letter WHERE 1 = 0",
                    "INSERT INTO outbox_dead_letter (id, topic, partition_no, payload, attempts, created_at, reason, died_at)"
                            + " SELECT id, topic, partition_no, payload, attempts, created_at, topic, created_at"
                            + " FROM outbox_message WHERE 1 = 0")) {
                statement.execute(dialect.sql(sql));
            }
        }
    }

    /** Returns the id that it gave out. */
    String persist(Connection connection, String text) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement(
                dialect.sql("INSERT INTO outbox_message (topic, partition_no, message_key, headers, payload)"
                        + " VALUES (?, ?, ?, ?, ?)"),
                new String[] {"id"})) {
            insert.setString(1, StoreTest.TOPIC);
            insert.setInt(2, 0);
            insert.setString(3, null);
            insert.setString(4, null);
            insert.setBytes(5, text.getBytes(StandardCharsets.UTF_8));
            insert.executeUpdate();
            try (ResultSet keys = insert.getGeneratedKeys()) {
                keys.next();
                return Long.toString(keys.getLong(1));
            }
        }
    }

    /** A message as a batch of it had it. */
    record Read(long rowId, String id, String text) {}

    List<Read> read(Connection connection) throws SQLException {
        List<Read> read = new ArrayList<>();
        try (Statement statement = connection.createStatement();
                ResultSet rows =
                        statement.executeQuery(dialect.sql("SELECT m.id, m.original_id, m.payload FROM outbox_message m"
                                + " ORDER BY m.topic, m.partition_no, m.id"))) {
            while (rows.next()) {
                long id = rows.getLong(2) == 0 ? rows.getLong(1) : rows.getLong(2);
                read.add(new Read(
                        rows.getLong(1), Long.toString(id), new String(rows.getBytes(3), StandardCharsets.UTF_8)));
            }
        }
        return read;
    }

    void settle(Connection connection, Read message) throws SQLException {
        update(connection, "DELETE FROM outbox_message WHERE id = ?", message.rowId());
    }

    void bury(Connection connection, Read message) throws SQLException {
        update(
                connection,
                "INSERT INTO outbox_dead_letter (id, topic, partition_no, message_key, headers, payload, attempts,"
                        + " created_at, reason, died_at) SELECT coalesce(m.original_id, m.id), m.topic, m.partition_no,"
                        + " m.message_key, m.headers, m.payload, m.attempts + 1, m.created_at, 'poison', "
                        + dialect.now() + " FROM outbox_message m WHERE m.id = ?",
                message.rowId());
        settle(connection, message);
    }

    void redrive(Connection connection, String id) throws SQLException {
        update(
                connection,
                "INSERT INTO outbox_message (topic, partition_no, message_key, headers, payload, created_at, original_id)"
                        + " SELECT topic, partition_no, message_key, headers, payload, created_at, id"
                        + " FROM outbox_dead_letter WHERE id = ?",
                Long.parseLong(id));
        update(connection, "DELETE FROM outbox_dead_letter WHERE id = ?", Long.parseLong(id));
    }

    private void update(Connection connection, String sql, long id) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(dialect.sql(sql))) {
            statement.setLong(1, id);
            assertEquals(1, statement.executeUpdate(), sql);
        }
    }
}
