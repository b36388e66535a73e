package dev.outbox.store.jooq.internal.schema;

import dev.outbox.ConfigurationException;
import dev.outbox.StoreOptions;
import dev.outbox.store.jooq.internal.dialect.Dialect;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/**
 * The trigger by which every transaction that writes messages notifies those who listen, when it commits. A trigger, so
 * that no way into the outbox can forget it. The channel is named by the table's own number, which needs no looking up
 * and which no other outbox of the database has.
 */
public final class NotifyTrigger {
    private static final String CHECK = "SELECT FROM pg_trigger t WHERE t.tgrelid = 'outbox_message'::regclass"
            + " AND t.tgname = 'outbox_message_notify' AND t.tgenabled IN ('O', 'A')";

    private static final String CHANNEL = "SELECT 'outbox_' || 'outbox_message'::regclass::oid";

    private NotifyTrigger() {}

    public static String ddl(Dialect dialect) {
        return dialect.sql(script());
    }

    private static String script() {
        return DdlScripts.resource("ddl/postgres-notify.sql");
    }

    /** The connection is in auto-commit mode. */
    public static void check(Connection connection, Dialect dialect, boolean create) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            if (isThere(statement, dialect)) {
                return;
            }
            if (!create) {
                throw new ConfigurationException(
                        "Option " + StoreOptions.WAKE_UP + "=true needs a trigger that is not there,"
                                + " or is disabled. Create it with the option createSchema=true, or with this DDL:\n\n"
                                + ddl(dialect));
            }
            createFunction(connection, dialect);
        }
        new DdlRun(connection, dialect, DdlRun.PATIENCE).run(DdlStep.of(script()));
    }

    /** What the trigger calls. It locks no table, so nobody waits for it. */
    private static void createFunction(Connection connection, Dialect dialect) throws SQLException {
        connection.setAutoCommit(false);
        try (Statement statement = connection.createStatement()) {
            dialect.lockSchema(connection);
            statement.execute(DdlScripts.statements(ddl(dialect))[0]);
            connection.commit();
        } finally {
            connection.rollback(); // nothing, once it is committed
            connection.setAutoCommit(true);
        }
    }

    static boolean isThere(Statement statement, Dialect dialect) throws SQLException {
        try (ResultSet rows = statement.executeQuery(dialect.sql(CHECK))) {
            return rows.next();
        }
    }

    /** The channel of the outbox that the connection sees. */
    public static String channel(Connection connection, Dialect dialect) throws SQLException {
        try (Statement statement = connection.createStatement();
                ResultSet row = statement.executeQuery(dialect.sql(CHANNEL))) {
            row.next();
            return row.getString(1);
        }
    }
}
