package dev.outbox.spring.boot.internal;

import com.zaxxer.hikari.HikariDataSource;
import dev.outbox.ConfigurationException;
import dev.outbox.internal.Log;
import javax.sql.DataSource;
import org.springframework.boot.jdbc.DataSourceUnwrapper;

/** Says that a pool is too small for a relay, before the application waits for connections. */
final class PoolSize {
    private static final Log LOG = Log.of(PoolSize.class);

    /** In addition to those of the workers, as {@code JdbcOutbox.store} says, and one for the application. */
    private static final int FURTHER = 4;

    private PoolSize() {}

    /**
     * Looks at pools of HikariCP, which are those that Spring Boot makes.
     *
     * @param workers those of the relay, and its listener for wake-ups, which all keep a connection
     * @throws ConfigurationException if the relay alone can have all connections
     */
    static void check(DataSource dataSource, int workers) {
        HikariDataSource pool = DataSourceUnwrapper.unwrap(dataSource, HikariDataSource.class);
        if (pool == null) {
            return;
        }
        int connections = pool.getMaximumPoolSize();
        if (connections < 1) {
            return; // before HikariCP 6, a pool that nobody has used yet does not know
        }
        if (connections <= workers) {
            throw new ConfigurationException("The connection pool has at most " + connections
                    + " connections, and the relay keeps up to " + workers
                    + " while it publishes, so the application may get none. Raise"
                    + " spring.datasource.hikari.maximum-pool-size to " + (workers + FURTHER) + ".");
        }
        if (connections < workers + FURTHER) {
            LOG.warn(
                    "[OUTBOX-701] The connection pool has at most {} connections; the relay may need {}, and the"
                            + " application needs others. Raise spring.datasource.hikari.maximum-pool-size",
                    connections,
                    workers + FURTHER - 1);
        }
    }
}
