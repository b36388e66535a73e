package dev.outbox.store.jooq;

import dev.outbox.ConfigurationException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;

/** The tables of the outbox: their DDL, making them, and checking that they are there. */
final class Schema {
    private static final int VERSION = 1;
    private static final int ATTEMPTS = 5;

    /** One row if everything is there, an error if a table or column is not. */
    private static final String CHECK = "SELECT s.version, s.lock_key FROM outbox_schema s"
            + " LEFT JOIN (SELECT id, original_id FROM outbox_message WHERE 1 = 0) m ON 1 = 0"
            + " LEFT JOIN (SELECT id, failing_id FROM outbox_partition WHERE 1 = 0) p ON 1 = 0"
            + " LEFT JOIN (SELECT id, died_at FROM outbox_dead_letter WHERE 1 = 0) d ON 1 = 0";

    private Schema() {}

    static String ddl(Dialect dialect) {
        try (InputStream resource = Schema.class.getResourceAsStream(dialect.ddlResource())) {
            if (resource == null) {
                throw new IllegalStateException("The artifact is incomplete: no " + dialect.ddlResource());
            }
            return new String(resource.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("reading " + dialect.ddlResource() + " failed", e);
        }
    }

    /** Runs the DDL, which leaves alone what is there already. Changes the connection's autoCommit. */
    static void create(Connection connection, Dialect dialect) throws SQLException {
        connection.setAutoCommit(false);
        for (int attempt = 1; ; attempt++) {
            try (Statement statement = connection.createStatement()) {
                dialect.lockSchema(connection);
                for (String part : statements(ddl(dialect))) {
                    statement.execute(part);
                }
                connection.commit();
                return;
            } catch (SQLException e) {
                connection.rollback();
                // Somebody else creates it too: what collided with us will be there the next time.
                if (attempt == ATTEMPTS || Failures.isLost(connection, e)) {
                    throw e;
                }
            }
        }
    }

    /**
     * The key of this outbox's locks, if the schema is there and is ours.
     *
     * @throws ConfigurationException if it is not
     */
    static int lockKey(Connection connection, Dialect dialect) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(CHECK)) {
            if (!row.next()) {
                throw new ConfigurationException(
                        "The table outbox_schema is empty. Run the DDL again, it fills it:\n\n" + ddl(dialect));
            }
            if (row.getInt(1) != VERSION) {
                throw new ConfigurationException("The outbox tables are of version " + row.getInt(1)
                        + ", this library works with version " + VERSION + ": use the library that made them, or"
                        + " upgrade them.");
            }
            return row.getInt(2);
        }
    }

    /** Splits the DDL where a line ends in a semicolon. */
    static String[] statements(String ddl) {
        return Arrays.stream(ddl.split(";\\R|;$"))
                .filter(part -> !part.isBlank())
                .toArray(String[]::new);
    }
}
