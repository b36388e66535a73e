package dev.outbox.store.jooq.internal.connection;

import dev.outbox.store.jooq.internal.dialect.Dialect;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Connects again and again while a server is away, in even steps, for a pool of our own. The pool's own pauses double
 * up to 5 s, and one thread makes all its connections. So the workers would come back late after an outage. Safe for
 * use by several threads.
 */
public final class ConnectRetries implements AutoCloseable {
    /** One try. */
    interface Attempt {
        Connection connect() throws SQLException;
    }

    private static final long PAUSE_MILLIS = 500;

    /** A try that takes longer says more than the failure of the one before. */
    static final long SILENCE_NANOS = TimeUnit.SECONDS.toNanos(2);

    private final Dialect dialect;
    private final CountDownLatch closed = new CountDownLatch(1);
    private volatile @Nullable SQLException lastFailure;

    /** When the try began that is under way, by {@link System#nanoTime}; null between two of them. */
    private volatile @Nullable Long tryingSince;

    public ConnectRetries(Dialect dialect) {
        this.dialect = dialect;
    }

    /**
     * Tries until there is a connection, until the server refuses it for a reason that an operator must remove, or
     * until {@link #close}. Those who wait for the connection have a limit of their own.
     */
    Connection connect(Attempt attempt) throws SQLException {
        while (true) {
            SQLException failure;
            tryingSince = System.nanoTime();
            try {
                Connection connection = attempt.connect();
                lastFailure = null;
                return unlessClosed(connection);
            } catch (SQLException e) {
                failure = e;
                lastFailure = e;
            } finally {
                tryingSince = null;
            }
            if (dialect.setupAdvice(failure) != null || isClosedWithin(PAUSE_MILLIS)) {
                throw failure;
            }
        }
    }

    /** A pool that was closed meanwhile no longer takes the connection, and nobody would end it. */
    private Connection unlessClosed(Connection connection) throws SQLException {
        if (isClosed()) {
            connection.close();
            throw new SQLException("the store was closed while it connected");
        }
        return connection;
    }

    private boolean isClosedWithin(long millis) {
        try {
            return closed.await(millis, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return true;
        }
    }

    /**
     * Why there is no connection: the server does not answer the try that is under way, or the last one failed. Null if
     * neither is known.
     */
    @Nullable
    SQLException whyNone() {
        SQLException last = lastFailure;
        Long since = tryingSince;
        long silence = since == null ? 0 : System.nanoTime() - since;
        return silence < SILENCE_NANOS
                ? last
                : new SQLException(
                        "the server has not answered for " + TimeUnit.NANOSECONDS.toSeconds(silence) + " s",
                        "08001",
                        last);
    }

    boolean isClosed() {
        return closed.getCount() == 0;
    }

    /** Ends the tries. */
    @Override
    public void close() {
        closed.countDown();
    }
}
