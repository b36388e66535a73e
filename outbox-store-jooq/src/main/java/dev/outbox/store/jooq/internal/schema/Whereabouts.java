package dev.outbox.store.jooq.internal.schema;

import dev.outbox.StoreOptions;
import dev.outbox.internal.Log;
import dev.outbox.store.jooq.internal.dialect.Dialect;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/**
 * Says which tables a store works on. Writers and relays that look at different ones, because their connections have
 * different schemas, see nothing of each other, and nothing fails.
 */
public final class Whereabouts {
    private static final Log LOG = Log.of(Whereabouts.class);

    private Whereabouts() {}

    public static void tell(Connection connection, Dialect dialect) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(dialect.whereabouts())) {
            row.next();
            String schema = row.getString(1);
            String others = row.getString(2);
            LOG.info(
                    "[OUTBOX-201] The outbox is in the tables {}.{}…",
                    schema,
                    dialect.names().prefix());
            if (dialect.names().schema() == null && others != null && !others.isEmpty()) {
                LOG.warn(
                        "[OUTBOX-202] There are tables of the same names in other schemas: {}. This store sees only"
                                + " what is written to those in {}, where its connections find them. If that is not"
                                + " meant, give writers and relays the same schema: by the URL, or by the option"
                                + " {}={}.{}",
                        others,
                        schema,
                        StoreOptions.PREFIX,
                        schema,
                        dialect.names().prefix());
            }
        }
    }
}
