package dev.outbox.store.jooq.internal;

import dev.outbox.ConfigurationException;
import dev.outbox.StoreOptions;
import dev.outbox.store.jooq.internal.dialect.Dialect;
import dev.outbox.store.jooq.internal.dialect.OptionNames;
import dev.outbox.store.jooq.internal.opening.StrictOrder;
import dev.outbox.store.jooq.internal.schema.NotifyTrigger;
import java.sql.Connection;
import java.sql.SQLException;

/**
 * What a store does beyond the contract if its options say so, on PostgreSQL alone, and what the user vouches for.
 *
 * @param strictOrder see {@link StrictOrder}
 * @param listens see {@code WakeUpListener}
 * @param oneNode all relays and writers use the same node of a cluster, on MySQL and MariaDB
 */
public record SqlOptions(boolean strictOrder, boolean listens, boolean oneNode) {
    private static final String LISTEN = "listen";
    private static final String NONE = "none";

    static SqlOptions of(StoreOptions options) {
        String wakeUp = options.get(OptionNames.WAKE_UP);
        if (wakeUp != null && !wakeUp.equals(LISTEN) && !wakeUp.equals(NONE)) {
            throw new ConfigurationException(
                    "Option " + OptionNames.WAKE_UP + " is '" + wakeUp + "'; expected " + NONE + " or " + LISTEN + ".");
        }
        return new SqlOptions(
                options.getBoolean(OptionNames.STRICT_ORDER, false),
                LISTEN.equals(wakeUp),
                options.getBoolean(OptionNames.ONE_NODE, false));
    }

    /**
     * Refuses what this database cannot do, or is not set up for.
     *
     * @param create whether to create what is missing
     */
    void check(Connection connection, Dialect dialect, boolean create) throws SQLException {
        if (dialect.options().contains(OptionNames.STRICT_ORDER)) {
            if (strictOrder) {
                StrictOrder.check(connection, dialect);
            }
            if (listens) {
                NotifyTrigger.check(connection, dialect, create);
            }
        } else if (strictOrder) {
            throw new ConfigurationException(
                    "Option " + OptionNames.STRICT_ORDER + " is for PostgreSQL alone: " + dialect.product()
                            + " does not tell a client which transactions are still writing. Leave it out. Transactions that do"
                            + " not overlap are published in order all the same.");
        } else if (listens) {
            throw new ConfigurationException("Option " + OptionNames.WAKE_UP + "=" + LISTEN
                    + " is for PostgreSQL alone: "
                    + dialect.product() + " cannot notify its clients. Leave it out, and call relay.wakeUp() after a"
                    + " commit in the same process.");
        }
    }
}
