package dev.outbox.store.jooq.internal.schema;

import dev.outbox.ConfigurationException;
import dev.outbox.OutboxException;
import dev.outbox.StoreException;
import dev.outbox.StoreOptions;
import dev.outbox.store.jooq.internal.dialect.Dialect;
import dev.outbox.store.jooq.internal.dialect.TableNames;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/** Says what a failure of the database means. */
public final class StoreErrors {
    private StoreErrors() {}

    /** A failure of one of our own statements, on a connection that is to be rolled back. */
    public static OutboxException of(String doing, Dialect dialect, SQLException e) {
        return dialect.isMissingTable(e) ? missingTables(doing, dialect, e) : new StoreException(text(doing, e), e);
    }

    public static ConfigurationException missingTables(String doing, Dialect dialect, SQLException e) {
        return new ConfigurationException(
                text(doing, e) + "\nThe outbox has no tables here, or not all of them. Create them in a transaction of"
                        + " their own, in the schema that your connections use, with "
                        + dialect.names().inCode()
                        + ".createSchema(dataSource),"
                        + " with the option createSchema=true, or with this DDL:\n\n" + DdlScripts.ddl(dialect),
                e);
    }

    /** Opening a store failed, or making its tables: by something set up wrongly, or trying again may help. */
    public static OutboxException opening(String doing, Dialect dialect, SQLException e) {
        String advice = dialect.setupAdvice(e);
        return advice == null
                ? new StoreException(text(doing, e), e)
                : new ConfigurationException(text(doing, e) + " " + advice, e);
    }

    public static ConfigurationException missingRights(Connection connection, Dialect dialect, SQLException e) {
        return new ConfigurationException(
                text("Opening the outbox", e)
                        + "\nThe user of the connection lacks a right that relays need. Give it all of" + " them:\n\n"
                        + Grants.toRelay(dialect, user(connection, dialect)),
                e);
    }

    public static ConfigurationException missingRightToWrite(Connection connection, Dialect dialect, SQLException e) {
        return new ConfigurationException(
                text("Writing a message to the outbox", e)
                        + "\nThe user of the connection lacks a right that writers need:\n\n"
                        + Grants.toWrite(dialect, user(connection, dialect)),
                e);
    }

    /** In a transaction that has failed PostgreSQL answers nothing more; then the reader has to fill it in. */
    private static String user(Connection connection, Dialect dialect) {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(dialect.grantee())) {
            row.next();
            return row.getString(1);
        } catch (SQLException e) {
            return "…";
        }
    }

    /** A statement of ours is understood by every database, unless the name of a schema is a word of its language. */
    public static boolean isSyntaxError(SQLException e) {
        String state = String.valueOf(e.getSQLState());
        return state.equals("42601") // PostgreSQL
                || state.equals("42001") // H2, as the next one
                || state.equals("42000") && (e.getErrorCode() == 42000 || e.getErrorCode() == 1064);
    }

    public static ConfigurationException reservedWord(TableNames names, SQLException e) {
        return new ConfigurationException(
                "The tables of the outbox are to be called " + names + "…, and " + names.schema()
                        + " is a word of this database's language that can be a name in quotes only. The outbox quotes no"
                        + " names: call the schema otherwise, or let the connections find it (as their default schema) and"
                        + " give the option " + StoreOptions.PREFIX + " the prefix alone.",
                e);
    }

    /** A failure that is no SQLException: a driver or a pool that does not keep to JDBC, a closed pool. */
    public static StoreException unexpected(String doing, RuntimeException e) {
        return new StoreException(doing + " failed: " + e.getMessage(), e);
    }

    /** What MariaDB's driver says if it has connected again: the transaction is gone, and the connection works. */
    private static final String OTHER_SESSION = "25S03";

    /** Whether the connection is gone, and with it what it held. */
    public static boolean isLost(Connection connection, SQLException e) {
        String state = e.getSQLState();
        if (state != null && (state.startsWith("08") || state.equals(OTHER_SESSION))) {
            return true;
        }
        try {
            return connection.isClosed() || !connection.isValid(2);
        } catch (SQLException | RuntimeException again) {
            return true;
        }
    }

    public static String text(String doing, SQLException e) {
        return doing + " failed: " + e.getMessage();
    }
}
