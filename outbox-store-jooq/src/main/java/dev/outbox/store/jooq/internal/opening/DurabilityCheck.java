package dev.outbox.store.jooq.internal.opening;

import dev.outbox.internal.Log;
import dev.outbox.store.jooq.internal.dialect.Dialect;
import java.sql.Connection;
import java.sql.SQLException;

/**
 * Whether what a relay reads is safe on disk: if not, a crash of the server can make it have published what never
 * happened.
 */
public final class DurabilityCheck {
    private static final Log LOG = Log.of(DurabilityCheck.class);

    private DurabilityCheck() {}

    /** Says so if the server is set up for less; that may be meant. */
    public static void warn(Connection connection, Dialect dialect) throws SQLException {
        String weakness = dialect.weakDurability(connection);
        if (weakness != null) {
            LOG.warn("[OUTBOX-206] {}: {}", dialect.product(), weakness);
        }
    }
}
