package dev.outbox.store.jooq.internal.opening;

import dev.outbox.store.jooq.internal.dialect.Dialect;
import java.sql.Connection;
import java.sql.SQLException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Whether what a relay reads is safe on disk: if not, a crash of the server can make it have published what never
 * happened.
 */
public final class DurabilityCheck {
    private static final Logger LOG = LoggerFactory.getLogger(DurabilityCheck.class);

    private DurabilityCheck() {}

    /** Says so if the server is set up for less; that may be meant. */
    public static void warn(Connection connection, Dialect dialect) throws SQLException {
        String weakness = dialect.weakDurability(connection);
        if (weakness != null) {
            LOG.warn("{}: {}", dialect.product(), weakness);
        }
    }
}
