package dev.outbox.store.jooq;

import dev.outbox.PersistFunc;
import dev.outbox.tck.WriteTransaction;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;

/** A transaction of the application on a connection of its own. */
final class JdbcTransaction implements WriteTransaction {
    private final Connection connection;

    JdbcTransaction(String url) throws SQLException {
        connection = DriverManager.getConnection(url);
        connection.setAutoCommit(false);
    }

    @Override
    public PersistFunc persistFunc() {
        return JooqOutbox.persist(connection);
    }

    @Override
    public void commit() throws SQLException {
        connection.commit();
    }

    @Override
    public void rollback() throws SQLException {
        connection.rollback();
    }

    @Override
    public void close() throws SQLException {
        if (!connection.isClosed()) {
            connection.rollback();
            connection.close();
        }
    }
}
