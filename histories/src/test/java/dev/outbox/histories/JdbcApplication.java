package dev.outbox.histories;

import dev.outbox.OutgoingMessage;
import dev.outbox.store.jooq.JdbcOutbox;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Savepoint;

/** An application over JDBC. */
final class JdbcApplication implements Backend.Application {
    static final String TABLE = "CREATE TABLE shop (tx varchar(40) NOT NULL PRIMARY KEY)";

    private final Connection connection;

    JdbcApplication(String url) throws SQLException {
        connection = DriverManager.getConnection(url);
        connection.setAutoCommit(false);
    }

    Connection connection() {
        return connection;
    }

    @Override
    public void begin(String transaction) throws SQLException {
        try (PreparedStatement row = connection.prepareStatement("INSERT INTO shop (tx) VALUES (?)")) {
            row.setString(1, transaction);
            row.executeUpdate();
        }
    }

    @Override
    public String persist(OutgoingMessage message) {
        return JdbcOutbox.persist(connection).persist(message);
    }

    @Override
    public Object savepoint() throws SQLException {
        return connection.setSavepoint();
    }

    @Override
    public void back(Object savepoint) throws SQLException {
        connection.rollback((Savepoint) savepoint);
    }

    @Override
    public Story.Ending commit() throws SQLException {
        connection.commit();
        return Story.Ending.COMMITTED;
    }

    @Override
    public void rollback() throws SQLException {
        connection.rollback();
    }

    @Override
    public void close() throws SQLException {
        connection.close();
    }
}
