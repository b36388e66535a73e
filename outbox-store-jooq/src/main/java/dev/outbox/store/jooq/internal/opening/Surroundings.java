package dev.outbox.store.jooq.internal.opening;

import dev.outbox.StoreException;
import dev.outbox.store.jooq.internal.dialect.Dialect;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;

/**
 * What was asked for when the store was opened may change while relays run: row security is switched on, a server joins
 * a cluster, a sequence gets a cache. Then messages would be hidden, come twice or come out of order, and nobody would
 * say so. So a store asks again every minute, and hands nothing out until it is as it must be. Safe for use by several
 * threads.
 */
public final class Surroundings {
    /** How often they are asked about. Tests ask more often. */
    public static volatile Duration every = Duration.ofMinutes(1);

    private final Dialect dialect;
    private final boolean oneNode;

    /** When they were last seen to be as they must be, by {@link System#nanoTime}. Two threads may ask at a time. */
    private volatile long seen = System.nanoTime();

    /** They have just been asked about. */
    public Surroundings(Dialect dialect, boolean oneNode) {
        this.dialect = dialect;
        this.oneNode = oneNode;
    }

    /** Asks if that was not done for a minute. */
    public void require(Connection connection) throws SQLException {
        if (System.nanoTime() - seen >= every.toNanos()) {
            requireNow(connection);
        }
    }

    /**
     * Asks.
     *
     * @throws StoreException if they are no longer as they must be, with what to do
     */
    public void requireNow(Connection connection) throws SQLException {
        String unfit = dialect.on(connection).unfit(connection, oneNode);
        if (unfit != null) {
            throw new StoreException("The database is not as it was when the store was opened: " + unfit
                    + ". Until then nothing is handed out.");
        }
        seen = System.nanoTime();
    }
}
