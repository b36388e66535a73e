package dev.outbox.store.jooq;

import java.sql.Connection;
import java.sql.SQLException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Whether what a relay reads is safe on disk: if not, a crash of the server can make it have published what never happened. */
final class Durability {
    private static final Logger LOG = LoggerFactory.getLogger(Durability.class);

    private Durability() {}

    /** Says so if the server is set up for less; that may be meant. */
    static void warn(Connection connection, Dialect dialect) throws SQLException {
        String weakness = dialect.weakDurability(connection);
        if (weakness != null) {
            LOG.warn("{}: {}", dialect.product(), weakness);
        }
    }
}
