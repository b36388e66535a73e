package com.example.outbox;

import dev.outbox.MisuseException;
import dev.outbox.PersistFunc;
import dev.outbox.Store;
import dev.outbox.StoreException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import javax.sql.DataSource;

/** An outbox in the application's own HSQLDB database. */
public final class HsqlOutbox {
    private static final List<String> TABLES = List.of(
            """
            CREATE TABLE outbox_message (
              position BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
              id VARCHAR(36) NOT NULL UNIQUE,
              topic VARCHAR(200) NOT NULL,
              part INTEGER NOT NULL,
              msg_key VARCHAR(1000),
              headers VARBINARY(200000) NOT NULL,
              payload VARBINARY(16777216) NOT NULL,
              attempts INTEGER DEFAULT 0 NOT NULL,
              created_at BIGINT NOT NULL)
            """,
            "CREATE INDEX outbox_message_order ON outbox_message (topic, part, position)",
            """
            CREATE TABLE outbox_partition (
              topic VARCHAR(200) NOT NULL,
              part INTEGER NOT NULL,
              token VARCHAR(36),
              held_until BIGINT DEFAULT 0 NOT NULL,
              ready_at BIGINT DEFAULT 0 NOT NULL,
              served_at BIGINT DEFAULT 0 NOT NULL,
              PRIMARY KEY (topic, part))
            """,
            """
            CREATE TABLE outbox_dead_letter (
              position BIGINT PRIMARY KEY,
              id VARCHAR(36) NOT NULL,
              topic VARCHAR(200) NOT NULL,
              part INTEGER NOT NULL,
              msg_key VARCHAR(1000),
              headers VARBINARY(200000) NOT NULL,
              payload VARBINARY(16777216) NOT NULL,
              attempts INTEGER NOT NULL,
              created_at BIGINT NOT NULL,
              reason VARCHAR(1000) NOT NULL)
            """);

    private HsqlOutbox() {}

    /** Makes the tables; once per database. Its transactions have to be MVCC, as in {@code ;hsqldb.tx=mvcc}. */
    public static void createTables(Connection connection) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            for (String table : TABLES) {
                statement.execute(table);
            }
        }
    }

    /** Writes messages with the transaction of a connection that has auto-commit off. */
    public static PersistFunc persist(Connection connection) {
        return message -> {
            try {
                if (connection.getAutoCommit()) {
                    throw new MisuseException("The connection has auto-commit on: a message needs a transaction.");
                }
                try (PreparedStatement insert = connection.prepareStatement(
                        "INSERT INTO outbox_message (topic, part, msg_key, headers, payload, id, created_at)"
                                + " VALUES (?, ?, ?, ?, ?, ?, UNIX_MILLIS())")) {
                    insert.setString(1, message.topic());
                    insert.setInt(2, message.partition());
                    insert.setString(3, message.key());
                    insert.setBytes(4, Headers.encode(message.headers()));
                    insert.setBytes(5, message.payload());
                    insert.setString(6, message.id());
                    insert.executeUpdate();
                    return message.id();
                }
            } catch (SQLException e) {
                throw new StoreException("The message could not be written: " + e.getMessage(), e);
            }
        };
    }

    /**
     * Opens a store.
     *
     * @param dataSource a pool, which stays the caller's
     * @param lease how long the messages of a dead process stay out of reach; a living one renews its lease
     */
    public static Store open(DataSource dataSource, Duration lease) {
        return new HsqlStore(dataSource, lease, () -> {});
    }
}
