package dev.outbox.store.jooq;

import dev.outbox.ConfigurationException;
import dev.outbox.MisuseException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Arrays;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The tables of the outbox: their DDL, making and upgrading them, and checking that they are there.
 *
 * <p>Every script can be run again after it was cut off anywhere, because some databases commit after every statement:
 * each statement leaves alone what is done already. Old versions of the library, whose stores are open while the tables are
 * upgraded, go on, and open again: a script only adds what they need not know. Scripts have a semicolon behind each
 * statement and nowhere else, so that every tool for migrations can take them apart.
 */
final class Schema {
    /**
     * The version of the tables that this code works with. Whoever raises it changes the DDL, adds the upgrade from the
     * version before and what it is recognised by to {@link #checkTables}, and keeps what already runs, old writers and
     * relays, working.
     */
    static final int VERSION = 2;

    private static final String FACTS = "SELECT s.version, s.lock_key FROM outbox_schema s";

    private Schema() {}

    static String ddl(Dialect dialect) {
        return dialect.sql(resource(dialect.ddlResource()));
    }

    /**
     * What brings the tables from a version to that of the dialect: one script for each version, which stand beside the
     * DDL as {@code postgres-1-to-2.sql}; empty if there is nothing to do.
     */
    static String upgrade(Dialect dialect, int from) {
        int to = VERSION;
        if (from < 1 || from > to) {
            throw new MisuseException("There is no upgrade from version " + from + ": the tables of the outbox on "
                    + dialect.product() + " have had the versions 1 to " + to + ".");
        }
        return dialect.sql(IntStream.range(from, to)
                .mapToObj(version -> resource(
                        dialect.ddlResource().replace(".sql", "-" + version + "-to-" + (version + 1) + ".sql")))
                .collect(Collectors.joining("\n")));
    }

    /** All statements there are, with default names: those of upgrades, and those of fresh tables. */
    static String scripts(Dialect dialect) {
        String fresh = dialect.ddlResource();
        return IntStream.range(1, VERSION)
                        .mapToObj(from -> resource(fresh.replace(".sql", "-" + from + "-to-" + (from + 1) + ".sql")))
                        .collect(Collectors.joining("\n"))
                + "\n" + resource(fresh);
    }

    static String resource(String name) {
        try (InputStream resource = Schema.class.getResourceAsStream(name)) {
            if (resource == null) {
                throw new IllegalStateException("The artifact is incomplete: no " + name);
            }
            return new String(resource.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException("reading " + name + " failed", e);
        }
    }

    /**
     * Makes what is missing and upgrades what is old; leaves alone what is newer than this code. If nothing is missing, it
     * has only looked: no lock, and no right but to read. Leaves the connection in auto-commit mode.
     */
    static void create(Connection connection, Dialect dialect) throws SQLException {
        create(connection, dialect, DdlRun.PATIENCE);
    }

    static void create(Connection connection, Dialect dialect, Duration patience) throws SQLException {
        connection.setAutoCommit(true);
        requireNamespace(connection, dialect);
        if (!isNewer(connection, dialect)) {
            new DdlRun(connection, dialect, patience).run();
        }
    }

    private static boolean isNewer(Connection connection, Dialect dialect) throws SQLException {
        try {
            return version(connection, dialect) > VERSION;
        } catch (SQLException e) {
            if (dialect.isMissingTable(e) || dialect.isMissingRight(e)) {
                return false;
            }
            throw e;
        }
    }

    private static int version(Connection connection, Dialect dialect) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(dialect.sql(FACTS))) {
            return row.next() ? row.getInt(1) : 0;
        }
    }

    /** The schema that the names of the tables say; JDBC calls that of MySQL and MariaDB a catalog. */
    private static void requireNamespace(Connection connection, Dialect dialect) throws SQLException {
        String schema = dialect.names().schema();
        if (schema == null) {
            return;
        }
        try (Statement statement = connection.createStatement()) {
            // Where a name may stand as it is, it may stand here.
            statement.executeQuery("SELECT 1 FROM (SELECT 1 AS a) AS " + schema).close();
        } catch (SQLException e) {
            if (Failures.isSyntaxError(e)) {
                throw Failures.reservedWord(dialect.names(), e);
            }
            throw e;
        }
        boolean catalogs = dialect instanceof MySqlDialect;
        DatabaseMetaData database = connection.getMetaData();
        try (ResultSet all = catalogs ? database.getCatalogs() : database.getSchemas()) {
            while (all.next()) {
                if (schema.equalsIgnoreCase(all.getString(1))) {
                    return;
                }
            }
        }
        throw new ConfigurationException("There is no schema " + schema + " for the tables " + dialect.names()
                + "… of the outbox, or this user has no right to it. Create it, or correct the option "
                + JooqOutbox.TABLES + ":\n\nCREATE " + (catalogs ? "DATABASE " : "SCHEMA ") + schema + ";");
    }

    /**
     * The key of this outbox's locks, if the schema is there, is of the version that this code works with, and is made as it
     * must be. To be called in auto-commit mode.
     *
     * @throws ConfigurationException if not, with what to run
     */
    static int lockKey(Connection connection, Dialect dialect) throws SQLException {
        requireNamespace(connection, dialect);
        try {
            int key = checkVersion(connection, dialect);
            checkUpgraded(connection, dialect);
            TableCheck.run(connection, dialect);
            return key;
        } catch (SQLException e) {
            if (dialect.isMissingTable(e)) {
                throw Failures.missingTables("Opening the outbox", dialect, e);
            }
            if (dialect.isMissingRight(e)) {
                throw Failures.missingRights(connection, dialect, e);
            }
            throw e;
        }
    }

    private static int checkVersion(Connection connection, Dialect dialect) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(dialect.sql(FACTS))) {
            if (!row.next()) {
                throw new ConfigurationException(
                        dialect.sql("The table outbox_schema is empty. Run the DDL again, it fills it:\n\n")
                                + ddl(dialect));
            }
            int version = row.getInt(1);
            String both =
                    "The outbox tables are of version " + version + ", and this library works with version " + VERSION;
            if (version > VERSION) {
                throw new ConfigurationException(both + ": it is too old for them. Use a version of outbox-store-jooq"
                        + " that is at least as new as the one that made or upgraded them.");
            }
            if (version < 1) {
                throw new ConfigurationException(
                        dialect.sql(both + ". There never was such a version: something else has written to"
                                + " the table outbox_schema."));
            }
            return row.getInt(2);
        }
    }

    /** Fails if a table or column is not there, and says if it is one that tables of an older version did not have. */
    private static void checkUpgraded(Connection connection, Dialect dialect) throws SQLException {
        try {
            checkTables(connection, dialect, VERSION);
        } catch (SQLException e) {
            if (!dialect.isMissingTable(e)) {
                throw e;
            }
            checkTables(connection, dialect, 1);
            throw new ConfigurationException(
                    "The outbox tables are of version 1, and this library works with version " + VERSION
                            + ". Upgrade them with " + dialect.names().inCode() + ".createSchema(dataSource), with"
                            + " the option createSchema=true, or with this script:\n\n" + upgrade(dialect, 1),
                    e);
        }
    }

    /** Fails if a table or column of a version is not there. */
    private static void checkTables(Connection connection, Dialect dialect, int version) throws SQLException {
        String added = version == 1 ? "" : ", message_id";
        try (Statement statement = connection.createStatement()) {
            statement
                    .executeQuery(dialect.sql("SELECT 1 FROM outbox_schema s"
                            + " LEFT JOIN (SELECT id, original_id" + added
                            + " FROM outbox_message WHERE 1 = 0) m ON 1 = 0"
                            + " LEFT JOIN (SELECT id, failing_id FROM outbox_partition WHERE 1 = 0) p ON 1 = 0"
                            + " LEFT JOIN (SELECT id, died_at" + added
                            + " FROM outbox_dead_letter WHERE 1 = 0) d ON 1 = 0"))
                    .close();
        }
    }

    /** Splits a script where a line ends in a semicolon. */
    static String[] statements(String script) {
        return Arrays.stream(script.split(";\\R|;$"))
                .filter(part -> !part.isBlank())
                .toArray(String[]::new);
    }
}
