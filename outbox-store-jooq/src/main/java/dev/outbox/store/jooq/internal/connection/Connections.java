package dev.outbox.store.jooq.internal.connection;

import com.zaxxer.hikari.HikariDataSource;
import dev.outbox.ConfigurationException;
import dev.outbox.store.jooq.internal.dialect.Dialect;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * Where the store gets its connections: its own pool, or the application's, whose connections are returned as they
 * came. Safe for use by several threads.
 */
public final class Connections implements AutoCloseable {
    private static final String CALLERS_CONNECTION =
            "org.springframework.jdbc.datasource.TransactionAwareDataSourceProxy";

    private final DataSource source;
    private final @Nullable HikariDataSource own;
    private final @Nullable ConnectRetries retries;
    private final boolean setUp;
    private final Dialect dialect;

    private final AtomicInteger inUse = new AtomicInteger();

    private Connections(
            DataSource source,
            @Nullable HikariDataSource own,
            @Nullable ConnectRetries retries,
            boolean setUp,
            Dialect dialect) {
        this.source = source;
        this.own = own;
        this.retries = retries;
        this.setUp = setUp;
        this.dialect = dialect;
    }

    /**
     * A pool of our own, closed with the store.
     *
     * @param retries of the source that the pool has its connections from
     * @param setUp whether its connections are set up as we need them; else every transaction is
     */
    public static Connections own(HikariDataSource pool, ConnectRetries retries, boolean setUp, Dialect dialect) {
        return new Connections(pool, pool, retries, setUp, dialect);
    }

    /**
     * Refuses a pool that hands out the connection of the caller's transaction, as far as the pool can be known by its
     * name. A store takes connections for transactions of its own. On the caller's connection it would end that
     * transaction.
     */
    public static void requireOwnTransactions(DataSource source) {
        for (Class<?> type = source.getClass(); type != null; type = type.getSuperclass()) {
            if (type.getName().equals(CALLERS_CONNECTION)) {
                throw new ConfigurationException(
                        "The pool is a TransactionAwareDataSourceProxy of Spring, which hands out"
                                + " the connection of the caller's transaction. A store would end that transaction: pass the"
                                + " DataSource that the proxy is for.");
            }
        }
    }

    /** The application's. */
    public static Connections of(DataSource source, Dialect dialect) {
        return new Connections(source, null, null, false, dialect);
    }

    /** A connection outside of any transaction, in auto-commit mode, whose server may not be silent forever. */
    public BorrowedConnection borrow() throws SQLException {
        Connection connection = lend();
        try {
            boolean autoCommit = connection.getAutoCommit();
            if (!autoCommit) {
                connection.setAutoCommit(true);
            }
            BorrowedConnection borrowed = new BorrowedConnection(connection, this, dialect, setUp, autoCommit);
            borrowed.limitSilence();
            inUse.incrementAndGet();
            return borrowed;
        } catch (SQLException | RuntimeException | Error e) {
            connection.close();
            throw e;
        }
    }

    /** The pool says only that it waited for too long. */
    private Connection lend() throws SQLException {
        try {
            return source.getConnection();
        } catch (SQLTransientConnectionException e) {
            if (retries == null) {
                throw e;
            }
            SQLException failure = retries.whyNone();
            throw new ServerAwayException(failure == null ? e : failure);
        }
    }

    /** How many connections are borrowed: for open batches, and for calls that go on. */
    public int inUse() {
        return inUse.get();
    }

    /** A borrowed connection was given back, or ended. */
    void returned() {
        inUse.decrementAndGet();
    }

    /** How many connections there can be at a time, 0 if nobody tells. */
    public int most() throws SQLException {
        HikariDataSource pool = hikari();
        return pool == null ? 0 : pool.getMaximumPoolSize();
    }

    /** Has the pool end a connection and never lend it again; false if this must be done without the pool. */
    boolean evict(Connection connection) throws SQLException {
        HikariDataSource pool = hikari();
        if (pool == null || !connection.getClass().getName().startsWith("com.zaxxer.hikari.")) {
            return false;
        }
        pool.evictConnection(connection);
        return true;
    }

    /** The pool, if it is one that can be told what to end. */
    private @Nullable HikariDataSource hikari() throws SQLException {
        if (own != null) {
            return own;
        }
        return source.isWrapperFor(HikariDataSource.class) ? source.unwrap(HikariDataSource.class) : null;
    }

    /** Connecting ends first, because the pool waits for it. */
    @Override
    public void close() {
        if (retries != null) {
            retries.close();
        }
        if (own != null) {
            own.close();
        }
    }
}
