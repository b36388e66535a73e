package dev.outbox.store.jooq;

import dev.outbox.tck.WriteTransaction;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Rows of the application, in a table that is made when the first of a database is asked for. */
record JdbcRows(String url, Connection connection) implements WriteTransaction.Rows {
    private static final Set<String> WITH_TABLE = ConcurrentHashMap.newKeySet();

    /** On a connection of its own, because some databases commit what a transaction did before such a statement. */
    private void createTable() throws SQLException {
        if (WITH_TABLE.contains(url)) {
            return;
        }
        try (Connection own = DriverManager.getConnection(url);
                Statement statement = own.createStatement()) {
            statement.execute("CREATE TABLE IF NOT EXISTS application_row (name VARCHAR(100) PRIMARY KEY)");
        }
        WITH_TABLE.add(url);
    }

    /** The database is dropped. */
    static void forget(String url) {
        WITH_TABLE.remove(url);
    }

    @Override
    public void write(String name) throws SQLException {
        createTable();
        try (PreparedStatement insert = connection.prepareStatement("INSERT INTO application_row VALUES (?)")) {
            insert.setString(1, name);
            insert.executeUpdate();
        }
    }

    @Override
    public boolean isThere(String name) throws SQLException {
        createTable();
        try (PreparedStatement query = connection.prepareStatement("SELECT 1 FROM application_row WHERE name = ?")) {
            query.setString(1, name);
            try (ResultSet found = query.executeQuery()) {
                return found.next();
            }
        }
    }
}
