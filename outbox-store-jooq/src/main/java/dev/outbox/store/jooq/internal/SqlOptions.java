package dev.outbox.store.jooq.internal;

import dev.outbox.ConfigurationException;
import dev.outbox.StoreOption;
import dev.outbox.StoreOptions;
import dev.outbox.store.jooq.internal.dialect.Dialect;
import dev.outbox.store.jooq.internal.dialect.SqlOption;
import dev.outbox.store.jooq.internal.dialect.TableNames;
import dev.outbox.store.jooq.internal.opening.StrictOrder;
import dev.outbox.store.jooq.internal.schema.NotifyTrigger;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The options of a store, as their types have them.
 *
 * @param names how the tables are called
 * @param create whether to create the tables; null if it depends on the database
 * @param strictOrder see {@link StrictOrder}
 * @param wakeUp whether the store listens for notifications
 * @param oneNode whether all relays and writers use the same node of a cluster
 */
record SqlOptions(TableNames names, @Nullable Boolean create, boolean strictOrder, boolean wakeUp, boolean oneNode) {
    private static final String POOL = "the pool is that of the application";

    /** The options that some database cannot have. */
    private static final List<StoreOption<Boolean>> SPECIAL =
            List.of(SqlOption.STRICT_ORDER, StoreOptions.WAKE_UP, SqlOption.ONE_NODE);

    /** The options of a store that has a pool of its own. */
    static SqlOptions ofUrl(StoreOptions options) {
        options.requireKnown(
                StoreOptions.USER,
                StoreOptions.PASSWORD,
                StoreOptions.CREATE_SCHEMA,
                StoreOptions.PREFIX,
                SqlOption.STRICT_ORDER,
                StoreOptions.WAKE_UP,
                SqlOption.ONE_NODE);
        return of(options);
    }

    /** The options of a store over a pool of the application. */
    static SqlOptions ofPool(StoreOptions options) {
        options.refuse(StoreOptions.USER, POOL + ", and logs in by itself");
        options.refuse(StoreOptions.PASSWORD, POOL + ", and logs in by itself");
        options.requireKnown(
                StoreOptions.CREATE_SCHEMA,
                StoreOptions.PREFIX,
                SqlOption.STRICT_ORDER,
                StoreOptions.WAKE_UP,
                SqlOption.ONE_NODE);
        return of(options);
    }

    private static SqlOptions of(StoreOptions options) {
        String prefix = options.get(StoreOptions.PREFIX);
        return new SqlOptions(
                prefix == null ? TableNames.DEFAULT : TableNames.of(prefix),
                options.get(StoreOptions.CREATE_SCHEMA),
                options.get(SqlOption.STRICT_ORDER, false),
                options.get(StoreOptions.WAKE_UP, false),
                options.get(SqlOption.ONE_NODE, false));
    }

    /** Whether to create what is missing in a database. */
    boolean create(Dialect dialect) {
        return create == null ? dialect.createsSchemaByDefault() : create;
    }

    private boolean isSet(StoreOption<Boolean> option) {
        return option == SqlOption.STRICT_ORDER ? strictOrder : option == SqlOption.ONE_NODE ? oneNode : wakeUp;
    }

    /** Refuses an option that this database does not have. An option that is false holds everywhere. */
    void requirePossible(Dialect dialect) {
        for (StoreOption<Boolean> option : SPECIAL) {
            if (isSet(option) && !dialect.options().contains(option)) {
                throw new ConfigurationException(
                        "Option " + option + "=true is not for " + dialect.product() + ": " + reason(option));
            }
        }
    }

    private static String reason(StoreOption<Boolean> option) {
        if (option == SqlOption.STRICT_ORDER) {
            return "only PostgreSQL tells a client which transactions are still writing. Leave it out. Transactions"
                    + " that do not overlap are published in order nevertheless.";
        }
        if (option == SqlOption.ONE_NODE) {
            return "it is for clusters of MySQL or MariaDB that have several writable nodes. Leave it out.";
        }
        return "of the SQL databases, only PostgreSQL can notify its clients. Leave it out, and call relay.wakeUp()"
                + " after a commit in the same process.";
    }

    /** Refuses options that the tables of this database are not prepared for. */
    void check(Connection connection, Dialect dialect) throws SQLException {
        if (strictOrder) {
            StrictOrder.check(connection, dialect);
        }
        if (wakeUp) {
            NotifyTrigger.check(connection, dialect, create(dialect));
        }
    }
}
