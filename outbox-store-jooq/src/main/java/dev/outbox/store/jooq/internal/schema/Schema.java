package dev.outbox.store.jooq.internal.schema;

import dev.outbox.ConfigurationException;
import dev.outbox.StoreOptions;
import dev.outbox.store.jooq.internal.dialect.Dialect;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;

/**
 * The tables of the outbox: their DDL, making and upgrading them, and checking that they are there.
 */
public final class Schema {
    private static final String FACTS = "SELECT s.version, s.lock_key FROM outbox_schema s";

    private Schema() {}

    /**
     * Makes what is missing and upgrades what is old; leaves alone what is newer than this code. If nothing is missing,
     * it has only looked: no lock, and no right but to read. Leaves the connection in auto-commit mode.
     */
    public static void create(Connection connection, Dialect dialect) throws SQLException {
        create(connection, dialect, DdlRun.PATIENCE);
    }

    public static void create(Connection connection, Dialect dialect, Duration patience) throws SQLException {
        connection.setAutoCommit(true);
        requireNamespace(connection, dialect);
        if (!isNewer(connection, dialect)) {
            new DdlRun(connection, dialect, patience).run();
        }
    }

    private static boolean isNewer(Connection connection, Dialect dialect) throws SQLException {
        try {
            return version(connection, dialect) > DdlScripts.VERSION;
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
            if (StoreErrors.isSyntaxError(e)) {
                throw StoreErrors.reservedWord(dialect.names(), e);
            }
            throw e;
        }
        boolean catalogs = dialect.schemasAreCatalogs();
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
                + StoreOptions.PREFIX + ":\n\nCREATE " + (catalogs ? "DATABASE " : "SCHEMA ") + schema + ";");
    }

    /**
     * The key of this outbox's locks, if the schema is there, is of the version that this code works with, and is made
     * as it must be. To be called in auto-commit mode.
     *
     * @throws ConfigurationException if not, with what to run
     */
    public static int lockKey(Connection connection, Dialect dialect) throws SQLException {
        requireNamespace(connection, dialect);
        try {
            int key = checkVersion(connection, dialect);
            checkUpgraded(connection, dialect);
            TableCheck.run(connection, dialect);
            return key;
        } catch (SQLException e) {
            if (dialect.isMissingTable(e)) {
                throw StoreErrors.missingTables("Opening the outbox", dialect, e);
            }
            if (dialect.isMissingRight(e)) {
                throw StoreErrors.missingRights(connection, dialect, e);
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
                                + DdlScripts.ddl(dialect));
            }
            int version = row.getInt(1);
            String both = "The outbox tables are of version " + version + ", and this library works with version "
                    + DdlScripts.VERSION;
            if (version > DdlScripts.VERSION) {
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
            checkTables(connection, dialect, DdlScripts.VERSION);
        } catch (SQLException e) {
            if (!dialect.isMissingTable(e)) {
                throw e;
            }
            checkTables(connection, dialect, 1);
            throw new ConfigurationException(
                    "The outbox tables are of version 1, and this library works with version " + DdlScripts.VERSION
                            + ". Upgrade them with " + dialect.names().inCode() + ".createSchema(dataSource), with"
                            + " the option createSchema=true, or with this script:\n\n"
                            + DdlScripts.upgrade(dialect, 1),
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
}
