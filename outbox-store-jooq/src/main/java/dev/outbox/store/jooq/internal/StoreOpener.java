package dev.outbox.store.jooq.internal;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.outbox.ConfigurationException;
import dev.outbox.OutboxException;
import dev.outbox.Store;
import dev.outbox.StoreException;
import dev.outbox.StoreOption;
import dev.outbox.StoreOptions;
import dev.outbox.spi.Redacted;
import dev.outbox.store.jooq.internal.connection.ConnectRetries;
import dev.outbox.store.jooq.internal.connection.Connections;
import dev.outbox.store.jooq.internal.connection.DriverDataSource;
import dev.outbox.store.jooq.internal.connection.PoolerDetection;
import dev.outbox.store.jooq.internal.dialect.Dialect;
import dev.outbox.store.jooq.internal.dialect.Dialects;
import dev.outbox.store.jooq.internal.opening.DurabilityCheck;
import dev.outbox.store.jooq.internal.opening.Rehearsal;
import dev.outbox.store.jooq.internal.schema.Schema;
import dev.outbox.store.jooq.internal.schema.StoreErrors;
import dev.outbox.store.jooq.internal.schema.Whereabouts;
import dev.outbox.store.jooq.internal.wakeup.WakeUpListener;
import java.sql.Connection;
import java.sql.Driver;
import java.sql.SQLException;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** Opens stores, and refuses immediately what would fail later. */
public final class StoreOpener {

    private static final long CONNECTION_TIMEOUT = TimeUnit.SECONDS.toMillis(10);

    /**
     * No limit that anybody meets. A batch keeps its connection while it is open, so the workers of the relays say how
     * many there are. The pool opens them as they are needed, and ends those that were idle for ten minutes.
     */
    private static final int MOST_CONNECTIONS = 10_000;

    /** How PostgreSQL's driver is told after how many uses to prepare a statement on the server; 0 is never. */
    private static final String PREPARE_THRESHOLD = "prepareThreshold";

    private static final AtomicInteger POOLS = new AtomicInteger();

    private StoreOpener() {}

    public static Store store(DataSource pool, StoreOptions options) {
        SqlOptions settings = SqlOptions.ofPool(options);
        Connections.requireOwnTransactions(pool);
        Dialect dialect;
        Tables tables;
        try (Connection connection = pool.getConnection()) {
            dialect = Dialects.of(connection).named(settings.names()).on(connection);
            try {
                tables = checkSchema(connection, dialect, settings);
            } catch (SQLException e) {
                throw StoreErrors.opening("Opening the outbox", dialect, e);
            }
        } catch (SQLException e) {
            throw new StoreException(StoreErrors.text("Opening the outbox", e), e);
        }
        Connections connections = Connections.of(pool, dialect);
        return open(connections, connections, dialect, tables, settings);
    }

    public static Store store(String url, StoreOptions options) {
        String shown = Redacted.url(url);
        Dialect dialect = Dialects.of(url, shown);
        SqlOptions settings = SqlOptions.ofUrl(options);
        refuseTraps(url, dialect);
        DriverDataSource source = driverSource(url, options, dialect, shown);
        Dialect actual;
        Tables tables;
        Connections connections = null;
        // One connection before there is a pool: what is wrong shows immediately, as the driver says it.
        try (Connection connection = source.getConnection()) {
            actual = Dialects.of(connection)
                    .named(settings.names())
                    .on(connection); // each of some drivers talks to the other's server too
            boolean pooled = PoolerDetection.isBetween(connection);
            if (pooled && dialect.parameter(PREPARE_THRESHOLD, url) == null) {
                // What is prepared in one session is not there in the next, or is something else by the same name. That
                // goes for making the tables too: a COMMIT is prepared at its first use.
                source = source.with(PREPARE_THRESHOLD, "0");
                try (Connection unprepared = source.getConnection()) {
                    tables = checkSchema(unprepared, actual, settings);
                }
            } else {
                tables = checkSchema(connection, actual, settings);
            }
            ConnectRetries retries = new ConnectRetries(actual);
            HikariDataSource pool = pool(source.with(retries), actual, !pooled);
            connections = Connections.own(pool, retries, !pooled, actual);
            // The pool's first connection before this one ends, or another process could open an embedded file between.
            connections.borrow().close();
        } catch (SQLException e) {
            close(connections);
            String text = "Opening the outbox at " + shown + " failed: " + e.getMessage();
            String advice = dialect.setupAdvice(e);
            throw advice == null ? new StoreException(text, e) : new ConfigurationException(text + " " + advice, e);
        } catch (RuntimeException e) {
            close(connections);
            throw e instanceof OutboxException ? e : StoreErrors.unexpected("Opening the outbox at " + shown, e);
        }
        return open(connections, Connections.of(source, actual), actual, tables, settings);
    }

    private static void close(@Nullable Connections connections) {
        if (connections != null) {
            connections.close();
        }
    }

    /** A store that closes the connections if it cannot be opened. */
    private static Store open(
            Connections connections, Connections listening, Dialect dialect, Tables tables, SqlOptions settings) {
        try {
            Rehearsal.run(connections, dialect, tables.lockKey());
        } catch (SQLException e) {
            connections.close();
            throw StoreErrors.opening("Opening the outbox", dialect, e);
        } catch (RuntimeException e) {
            connections.close();
            throw e instanceof OutboxException ? e : StoreErrors.unexpected("Opening the outbox", e);
        }
        try {
            WakeUpListener listener = settings.wakeUp()
                    ? WakeUpListener.start(dialect, listening, connections != listening, connections)
                    : null;
            return new JdbcStore(
                    connections,
                    dialect,
                    tables.lockKey(),
                    tables.findsById(),
                    tables.withoutHolders(),
                    settings,
                    listener);
        } catch (SQLException e) {
            connections.close();
            throw new StoreException(StoreErrors.text("Listening for notifications", e), e);
        } catch (RuntimeException e) {
            connections.close();
            throw e;
        }
    }

    /** Forms of URL that drivers take, or log, in ways that nobody wants. */
    private static void refuseTraps(String url, Dialect dialect) {
        String base = url.split("[?;]", 2)[0];
        if (base.contains("@")) {
            throw new ConfigurationException(
                    "User and password do not belong before the host in a JDBC URL: give them as"
                            + " the options user and password, or as parameters at its end.");
        }
        String trap = dialect.trap(url);
        if (trap != null) {
            throw new ConfigurationException(trap);
        }
    }

    /**
     * What the store needs to know of its tables.
     *
     * @param findsById whether messages have an index by their ids
     * @param withoutHolders why the database does not say who holds partitions; null if it does
     */
    private record Tables(
            int lockKey, boolean findsById, @Nullable String withoutHolders) {}

    private static Tables checkSchema(Connection connection, Dialect dialect, SqlOptions settings) throws SQLException {
        settings.requirePossible(dialect);
        boolean autoCommit = connection.getAutoCommit();
        try {
            if (!autoCommit) {
                connection.setAutoCommit(true);
            }
            if (settings.create(dialect)) {
                Schema.create(connection, dialect);
            }
            int lockKey = Schema.lockKey(connection, dialect);
            String unfit = dialect.unfit(connection, settings.oneNode());
            if (unfit != null) {
                throw new ConfigurationException("Opening the outbox failed: " + unfit + ".");
            }
            DurabilityCheck.warn(connection, dialect);
            Whereabouts.tell(connection, dialect);
            settings.check(connection, dialect);
            boolean findsById = dialect.indexes(connection, "outbox_message").stream()
                    .anyMatch(index -> index.usable() && index.columns().get(0).equals("message_id"));
            return new Tables(lockKey, findsById, dialect.withoutHolders(connection));
        } finally {
            if (connection.getAutoCommit() != autoCommit) {
                connection.setAutoCommit(autoCommit);
            }
        }
    }

    private static DriverDataSource driverSource(String url, StoreOptions options, Dialect dialect, String shown) {
        Properties settings = new Properties();
        String address = dialect.prepare(settings, url);
        for (StoreOption<String> credential : List.of(StoreOptions.USER, StoreOptions.PASSWORD)) {
            String option = options.get(credential);
            String value = option == null ? dialect.parameter(credential.name(), url) : option;
            if (value != null) {
                // Drivers write URLs into logs.
                address = dialect.without(credential.name(), address);
                settings.setProperty(credential.name(), value);
            }
        }
        return new DriverDataSource(driver(dialect), address, settings, shown);
    }

    private static Driver driver(Dialect dialect) {
        ClassLoader context = Thread.currentThread().getContextClassLoader();
        Exception missing = null;
        for (ClassLoader loader : new @Nullable ClassLoader[] {context, StoreOpener.class.getClassLoader()}) {
            try {
                return Class.forName(dialect.driverClass(), true, loader)
                        .asSubclass(Driver.class)
                        .getConstructor()
                        .newInstance();
            } catch (ReflectiveOperationException e) {
                missing = e;
            }
        }
        throw new ConfigurationException(
                "No JDBC driver for " + dialect.product() + ": " + dialect.driverClass()
                        + " is not on the class path. Add the artifact " + dialect.driverArtifact() + ".",
                missing);
    }

    private static HikariDataSource pool(DriverDataSource source, Dialect dialect, boolean setUp) {
        HikariConfig config = new HikariConfig();
        config.setPoolName("outbox-" + POOLS.incrementAndGet());
        config.setDataSource(source);
        config.setMaximumPoolSize(MOST_CONNECTIONS);
        config.setMinimumIdle(1);
        config.setConnectionTimeout(CONNECTION_TIMEOUT);
        config.setInitializationFailTimeout(-1);
        if (setUp) {
            config.setTransactionIsolation("TRANSACTION_READ_COMMITTED");
            dialect.prepare(config);
        }
        return new HikariDataSource(config);
    }
}
