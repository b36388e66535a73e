package dev.outbox.store.jooq;

import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Where the store gets its connections: its own pool, or the application's, whose connections are returned as they came.
 * Safe for use by several threads.
 */
final class Connections implements AutoCloseable {
    private final DataSource source;
    private final @Nullable HikariDataSource own;
    private final boolean setUp;
    private final Dialect dialect;

    private Connections(DataSource source, @Nullable HikariDataSource own, boolean setUp, Dialect dialect) {
        this.source = source;
        this.own = own;
        this.setUp = setUp;
        this.dialect = dialect;
    }

    /**
     * A pool of our own, closed with the store.
     *
     * @param setUp whether its connections are set up as we need them; else every transaction is
     */
    static Connections own(HikariDataSource pool, boolean setUp, Dialect dialect) {
        return new Connections(pool, pool, setUp, dialect);
    }

    /** The application's. */
    static Connections of(DataSource source, Dialect dialect) {
        return new Connections(source, null, false, dialect);
    }

    /** A connection outside of any transaction, in auto-commit mode. */
    Lease borrow() throws SQLException {
        Connection connection = source.getConnection();
        try {
            boolean autoCommit = connection.getAutoCommit();
            if (!autoCommit) {
                connection.setAutoCommit(true);
            }
            return new Lease(connection, autoCommit);
        } catch (SQLException | RuntimeException e) {
            connection.close();
            throw e;
        }
    }

    @Override
    public void close() {
        if (own != null) {
            own.close();
        }
    }

    /** A borrowed connection. Used by one thread at a time. */
    final class Lease implements AutoCloseable {
        private final Connection connection;
        private final boolean autoCommit;
        private int before;
        private boolean begun;

        /** Whether there may be something to roll back; begun, it is false only after a commit that succeeded. */
        private boolean uncommitted;

        private boolean changes;
        private boolean broken;

        private Lease(Connection connection, boolean autoCommit) {
            this.connection = connection;
            this.autoCommit = autoCommit;
        }

        Connection connection() {
            return connection;
        }

        /** Whether the connection is from a pool of our own, and set up by its dialect. */
        boolean isOwn() {
            return setUp;
        }

        /**
         * Begins a READ COMMITTED transaction that takes partitions, and changes nothing before {@link #change}. If anything
         * is left to send for it, returns that, to be sent with the first statement; else "".
         */
        String hold() throws SQLException {
            String begin = beginWithFirst();
            changes = false;
            return begin;
        }

        /** The transaction is about to change something. */
        void change() {
            changes = true;
        }

        /** Begins a READ COMMITTED transaction. */
        void begin() throws SQLException {
            String begin = beginWithFirst();
            if (!begin.isEmpty()) {
                try (Statement statement = connection.createStatement()) {
                    statement.execute(begin);
                }
            }
        }

        private String beginWithFirst() throws SQLException {
            begun = true;
            changes = true;
            uncommitted = true;
            if (setUp) {
                return dialect.beginOwn(connection);
            }
            connection.setAutoCommit(false);
            before = dialect.beginTransaction(connection);
            return "";
        }

        /** Takes back what the transaction did, if there is one, and returns to auto-commit. */
        void rollback() throws SQLException {
            if (begun) {
                begun = false;
                undo();
                if (!setUp) {
                    dialect.endTransaction(connection, before);
                }
                if (!connection.getAutoCommit()) {
                    connection.setAutoCommit(true);
                }
            }
        }

        /** Commits; after that there is nothing to roll back, and asking the server to do so would cost a round trip. */
        void commit() throws SQLException {
            if (setUp) {
                dialect.commitOwn(connection);
            } else {
                connection.commit();
            }
            committed();
        }

        /** The transaction has been committed, by a statement. */
        void committed() {
            uncommitted = false;
        }

        private void undo() throws SQLException {
            if (!changes && dialect.endsHoldsByCommit()) {
                commit();
            } else if (setUp) {
                dialect.rollbackOwn(connection);
            } else {
                connection.rollback();
            }
        }

        /** Nobody is to use the connection again. */
        void markBroken() {
            broken = true;
        }

        /**
         * Rolls back what is open and gives the connection back as it was. If that is not possible, ends it, and with it
         * the transaction and its locks. Never throws: there is nothing left to lose.
         */
        @Override
        public void close() {
            boolean restored = false;
            try {
                if (begun && uncommitted && (setUp || !connection.getAutoCommit())) {
                    undo();
                }
                if (begun && !setUp) {
                    dialect.endTransaction(connection, before);
                }
                if (connection.getAutoCommit() != autoCommit) {
                    connection.setAutoCommit(autoCommit);
                }
                restored = true;
            } catch (SQLException | RuntimeException e) {
                // ended below
            }
            try {
                if (own != null && (broken || !restored)) {
                    own.evictConnection(connection);
                } else if (!restored) {
                    connection.abort(Runnable::run); // a pool of the application may not look before it lends it again
                }
            } catch (SQLException | RuntimeException e) {
                // gone already
            }
            try {
                connection.close();
            } catch (SQLException | RuntimeException e) {
                // the pool has to do with what it finds
            }
        }
    }
}
