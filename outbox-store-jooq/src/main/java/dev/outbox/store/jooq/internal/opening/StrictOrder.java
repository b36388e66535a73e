package dev.outbox.store.jooq.internal.opening;

import dev.outbox.ConfigurationException;
import dev.outbox.store.jooq.internal.dialect.Dialect;
import dev.outbox.store.jooq.internal.dialect.SqlOption;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/**
 * Strict order: a partition comes in the order of its ids, and no message ever comes after one with a higher id. A
 * checkout reads up to the {@code LowWatermark} only, so what was written after the first message of a transaction that
 * is still open waits for its end. That is all there is to it, if ids are drawn from the sequence one by one; what
 * would break that is refused here.
 */
public final class StrictOrder {
    private static final String FACTS = "WITH s AS (SELECT pg_get_serial_sequence('outbox_message', 'id') AS name)"
            + " SELECT s.name, q.seqcache, has_sequence_privilege(s.name, 'SELECT, USAGE'), current_user"
            + " FROM s LEFT JOIN pg_sequence q ON q.seqrelid = s.name::regclass";

    /** The subquery is evaluated once, so that the index is searched from there on and not walked through. */
    private static final String UNDRAWN = "SELECT m.id FROM outbox_message m WHERE m.id > (SELECT coalesce("
            + "pg_sequence_last_value(pg_get_serial_sequence('outbox_message', 'id')::regclass), 0))"
            + " ORDER BY m.id DESC LIMIT 1";

    private StrictOrder() {}

    public static void check(Connection connection, Dialect dialect) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            String sequence;
            try (ResultSet row = statement.executeQuery(dialect.sql(FACTS))) {
                row.next();
                sequence = row.getString(1);
                if (sequence == null) {
                    throw refusal(
                            dialect.sql("outbox_message") + ".id draws its numbers from no sequence of its own",
                            "as in the DDL");
                }
                if (!row.getBoolean(3)) {
                    throw refusal(
                            "the user " + row.getString(4) + " may not read the sequence that ids are drawn from",
                            "GRANT SELECT ON SEQUENCE " + sequence + " TO " + row.getString(4));
                }
                if (row.getLong(2) != 1) {
                    throw refusal(
                            "connections keep " + row.getLong(2) + " ids in reserve, so that ids say nothing about"
                                    + " who wrote first",
                            "ALTER SEQUENCE " + sequence + " CACHE 1");
                }
            }
            // Rows that were restored without their sequence: above all that was drawn, they would wait forever.
            try (ResultSet row = statement.executeQuery(dialect.sql(UNDRAWN))) {
                if (row.next()) {
                    throw refusal(
                            "there is a message " + row.getLong(1) + ", and its id has not been drawn yet: the rows"
                                    + " were restored and the sequence was not",
                            "SELECT setval('" + sequence + "', (SELECT max(id) FROM " + dialect.sql("outbox_message")
                                    + "))");
                }
            }
        }
    }

    private static ConfigurationException refusal(String why, String what) {
        return new ConfigurationException("Option " + SqlOption.STRICT_ORDER + " cannot be kept: " + why + ". Mend it: "
                + what + ". Or leave the option out.");
    }
}
