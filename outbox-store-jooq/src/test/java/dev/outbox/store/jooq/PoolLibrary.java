package dev.outbox.store.jooq;

import com.mchange.v2.c3p0.ComboPooledDataSource;
import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import io.agroal.api.AgroalDataSource;
import io.agroal.api.configuration.supplier.AgroalDataSourceConfigurationSupplier;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import javax.sql.DataSource;
import org.apache.commons.dbcp2.BasicDataSource;
import org.apache.tomcat.jdbc.pool.PoolProperties;

/** The libraries that applications have their pools from, each with its defaults. */
enum PoolLibrary {
    HIKARI {
        @Override
        Pool open(String url, int most, Duration patience) {
            HikariConfig config = new HikariConfig();
            config.setJdbcUrl(url);
            config.setMaximumPoolSize(most);
            config.setConnectionTimeout(patience.toMillis());
            HikariDataSource pool = new HikariDataSource(config);
            return new Pool(pool, pool::close);
        }
    },
    DBCP {
        @Override
        Pool open(String url, int most, Duration patience) {
            BasicDataSource pool = new BasicDataSource();
            pool.setUrl(url);
            pool.setMaxTotal(most);
            pool.setMaxWait(patience);
            return new Pool(pool, pool::close);
        }
    },
    TOMCAT {
        @Override
        Pool open(String url, int most, Duration patience) throws SQLException {
            PoolProperties config = new PoolProperties();
            config.setUrl(url);
            config.setDriverClassName(DriverManager.getDriver(url).getClass().getName());
            config.setMaxActive(most);
            config.setMaxIdle(most);
            config.setInitialSize(1);
            config.setMinIdle(1);
            config.setMaxWait(Math.toIntExact(patience.toMillis()));
            org.apache.tomcat.jdbc.pool.DataSource pool = new org.apache.tomcat.jdbc.pool.DataSource(config);
            return new Pool(pool, pool::close);
        }
    },
    C3P0 {
        @Override
        Pool open(String url, int most, Duration patience) {
            ComboPooledDataSource pool = new ComboPooledDataSource();
            pool.setJdbcUrl(url);
            pool.setMaxPoolSize(most);
            pool.setInitialPoolSize(1);
            pool.setMinPoolSize(1);
            pool.setCheckoutTimeout(Math.toIntExact(patience.toMillis()));
            return new Pool(pool, pool::close);
        }
    },
    AGROAL {
        @Override
        Pool open(String url, int most, Duration patience) throws SQLException {
            AgroalDataSource pool = AgroalDataSource.from(new AgroalDataSourceConfigurationSupplier()
                    .connectionPoolConfiguration(config -> config.maxSize(most)
                            .acquisitionTimeout(patience)
                            .connectionFactoryConfiguration(factory -> factory.jdbcUrl(url))));
            return new Pool(pool, pool::close);
        }
    };

    /**
     * Makes a pool.
     *
     * @param most connections at a time
     * @param patience how long it waits for one
     */
    abstract Pool open(String url, int most, Duration patience) throws SQLException;

    /** How a pool is closed. */
    interface End {
        void close() throws SQLException;
    }

    /** A pool of one of them. */
    record Pool(DataSource source, End end) implements AutoCloseable {
        Connection getConnection() throws SQLException {
            return source.getConnection();
        }

        @Override
        public void close() throws SQLException {
            end.close();
        }
    }
}
