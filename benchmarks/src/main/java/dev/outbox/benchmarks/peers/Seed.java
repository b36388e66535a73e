package dev.outbox.benchmarks.peers;

import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

/**
 * The algorithm of Encore's outbox in Go, as its documentation describes it: a batch is read {@code FOR UPDATE}, every
 * message deleted by a statement of its own, then committed.
 */
public final class Seed implements Peer {
    private static final int LIMIT = 100;

    private final Connection connection;
    private final String payload;

    /** @param bytes how large a payload is */
    public Seed(String url, int bytes) throws SQLException {
        connection = DriverManager.getConnection(url);
        payload = "\"" + "x".repeat(bytes - 2) + "\"";
        try (Statement statement = connection.createStatement()) {
            statement.execute("CREATE TABLE seed (id BIGSERIAL PRIMARY KEY, topic TEXT NOT NULL, data JSONB NOT NULL,"
                    + " inserted_at TIMESTAMPTZ NOT NULL)");
            statement.execute("CREATE INDEX seed_topic ON seed (topic, id)");
        }
    }

    @Override
    public String name() {
        return "seed";
    }

    @Override
    public int batch() {
        return LIMIT;
    }

    @Override
    public void fill(int messages) throws SQLException {
        connection.setAutoCommit(true);
        try (Statement statement = connection.createStatement()) {
            statement.execute("TRUNCATE seed");
            statement.execute("INSERT INTO seed (topic, data, inserted_at) SELECT 'orders', '" + payload
                    + "', now() FROM generate_series(1, " + messages + ")");
            statement.execute("VACUUM ANALYZE seed");
        }
        connection.setAutoCommit(false);
    }

    @Override
    public void drain(int messages) throws SQLException {
        int left = messages;
        try (PreparedStatement read =
                        connection.prepareStatement("SELECT id, topic, data FROM seed WHERE topic = ANY (?)"
                                + " ORDER BY id LIMIT " + LIMIT + " FOR UPDATE");
                PreparedStatement delete = connection.prepareStatement("DELETE FROM seed WHERE id = ?")) {
            read.setArray(1, connection.createArrayOf("text", new String[] {"orders"}));
            while (left > 0) {
                List<Long> ids = new ArrayList<>(LIMIT);
                try (ResultSet rows = read.executeQuery()) {
                    while (rows.next()) {
                        if (rows.getString(3).isEmpty()) {
                            throw new IllegalStateException("a message without a payload");
                        }
                        ids.add(rows.getLong(1));
                    }
                }
                for (long id : ids) {
                    delete.setLong(1, id);
                    delete.executeUpdate();
                }
                connection.commit();
                if (ids.isEmpty()) {
                    throw new IllegalStateException("messages are missing: " + left + " of " + messages);
                }
                left -= ids.size();
            }
        }
    }

    @Override
    public void persist(int transactions, int messages) throws SQLException {
        try (PreparedStatement insert = connection.prepareStatement(
                "INSERT INTO seed (topic, data, inserted_at) VALUES (?, ?::jsonb, now()) RETURNING id")) {
            for (int t = 0; t < transactions; t++) {
                for (int m = 0; m < messages; m++) {
                    insert.setString(1, "orders");
                    insert.setString(2, payload);
                    try (ResultSet id = insert.executeQuery()) {
                        id.next();
                    }
                }
                connection.commit();
            }
        }
    }

    @Override
    public void close() {
        try {
            connection.close();
        } catch (SQLException e) {
            throw new IllegalStateException(e);
        }
    }
}
