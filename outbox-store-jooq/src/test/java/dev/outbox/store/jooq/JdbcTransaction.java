package dev.outbox.store.jooq;

import dev.outbox.PersistFunc;
import dev.outbox.tck.WriteTransaction;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;

/** A transaction of the application. Its connection is used for one after the other, as a new one may take longer than all the rest. */
final class JdbcTransaction implements WriteTransaction {
    private static final Map<String, Queue<Connection>> IDLE = new ConcurrentHashMap<>();

    private final String url;
    private final Connection connection;

    JdbcTransaction(String url) throws SQLException {
        this.url = url;
        this.connection = connect(url);
    }

    private static Connection connect(String url) throws SQLException {
        Queue<Connection> idle = IDLE.computeIfAbsent(url, u -> new ConcurrentLinkedQueue<>());
        for (Connection known = idle.poll(); known != null; known = idle.poll()) {
            if (known.isValid(5)) {
                return known;
            }
            known.close();
        }
        Connection connection = DriverManager.getConnection(url);
        connection.setAutoCommit(false);
        return connection;
    }

    /** Closes those to a database that is going to be dropped, or emptied. */
    static void closeIdle(String url) throws SQLException {
        JdbcRows.forget(url);
        Queue<Connection> idle = IDLE.remove(url);
        if (idle != null) {
            for (Connection connection : idle) {
                try {
                    connection.close();
                } catch (SQLException e) {
                    connection.abort(Runnable::run); // its server has died
                }
            }
        }
    }

    @Override
    public PersistFunc persistFunc() {
        return JdbcOutbox.persist(connection);
    }

    /**
     * None in MySQL and MariaDB: there, a rollback to one keeps other writers from the end of the table until the
     * transaction ends, see docs/MYSQL.md.
     */
    @Override
    public Optional<Step> savepoint() throws SQLException {
        if (url.startsWith("jdbc:mysql:") || url.startsWith("jdbc:mariadb:")) {
            return Optional.empty();
        }
        Savepoint savepoint = connection.setSavepoint();
        return Optional.of(() -> connection.rollback(savepoint));
    }

    @Override
    public Rows rows() {
        return new JdbcRows(url, connection);
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
            IDLE.computeIfAbsent(url, u -> new ConcurrentLinkedQueue<>()).add(connection);
        }
    }
}
