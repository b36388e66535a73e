package dev.outbox.spring.boot.internal;

import com.zaxxer.hikari.HikariDataSource;
import dev.outbox.internal.Log;
import javax.sql.DataSource;
import org.springframework.boot.jdbc.DataSourceUnwrapper;

/** Says that a pool is too small for a relay, before the application waits for connections. */
final class PoolSize {
    private static final Log LOG = Log.of(PoolSize.class);

    /** In addition to those of the workers, as {@code JdbcOutbox.store} says, and one for the application. */
    private static final int FURTHER = 4;

    private PoolSize() {}

    /** Looks at pools of HikariCP, which are those that Spring Boot makes. */
    static void check(DataSource dataSource, int workers) {
        HikariDataSource pool = DataSourceUnwrapper.unwrap(dataSource, HikariDataSource.class);
        if (pool != null && pool.getMaximumPoolSize() < workers + FURTHER) {
            LOG.warn(
                    "[OUTBOX-701] The connection pool has at most {} connections; the relay may need {}, and the"
                            + " application needs others. Raise spring.datasource.hikari.maximum-pool-size",
                    pool.getMaximumPoolSize(),
                    workers + FURTHER - 1);
        }
    }
}
