package dev.outbox.store.jooq;

import dev.outbox.MessageRejectedException;
import dev.outbox.MisuseException;
import dev.outbox.OutgoingMessage;
import dev.outbox.StoreException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;

/** Writes a message in a transaction of the application, by one statement. Immutable. */
final class JdbcPersist {
    private static final String[] GENERATED = {"id"};
    private static final String DOING = "Writing a message to the outbox";

    /** The least that any server is set up to take in one piece. */
    private static final int LARGE = 1_000_000;

    private final Names names;
    private final String insert;

    JdbcPersist(Names names) {
        this.names = names;
        this.insert = names.in("INSERT INTO outbox_message (topic, partition_no, message_key, headers, payload)"
                + " VALUES (?, ?, ?, ?, ?)");
    }

    String persist(Connection connection, OutgoingMessage message) {
        try {
            if (connection.getAutoCommit()) {
                throw new MisuseException("The connection is in auto-commit mode, so there is no transaction that the"
                        + " message could share: it would be published even if your other changes fail. With JDBC, call"
                        + " setAutoCommit(false) first; with jOOQ, publish within transaction(…) and use the"
                        + " Configuration it hands you; with a supplier, begin a transaction first, and have it return"
                        + " the connection of that.");
            }
            if (message.payload().length > LARGE) {
                refuseTooLarge(connection, message.payload().length);
            }
            try (PreparedStatement statement = connection.prepareStatement(insert, GENERATED)) {
                statement.setString(1, message.topic());
                statement.setInt(2, message.partition());
                statement.setString(3, message.key());
                statement.setString(4, Headers.write(message.headers()));
                statement.setBytes(5, message.payload());
                statement.executeUpdate();
                try (ResultSet keys = statement.getGeneratedKeys()) {
                    if (!keys.next()) {
                        throw new StoreException(DOING + " failed: the database returned no id.");
                    }
                    return Long.toString(keys.getLong(1));
                }
            }
        } catch (SQLException e) {
            throw failure(connection, e);
        }
    }

    /** MariaDB ends the connection without a word that its driver would hear, so it is asked before. */
    private static void refuseTooLarge(Connection connection, int bytes) throws SQLException {
        String product = product(connection);
        for (Dialect dialect : Dialect.ALL) {
            String limit = dialect.product().equals(product) ? dialect.mostBytes() : null;
            if (limit != null) {
                try (Statement statement = connection.createStatement();
                        ResultSet row = statement.executeQuery(limit)) {
                    row.next();
                    if (row.getLong(1) <= bytes) {
                        throw new MessageRejectedException(MySqlDialect.TOO_LARGE + " The payload has " + bytes
                                + " bytes, the setting is " + row.getLong(1) + ".");
                    }
                }
            }
        }
    }

    /** Only a failure asks which database this is, so that success costs nothing. */
    private RuntimeException failure(Connection connection, SQLException e) {
        String product = product(connection);
        for (Dialect any : Dialect.ALL) {
            String tooLarge = any.tooLarge(e);
            if (tooLarge != null) {
                return new MessageRejectedException(tooLarge, e);
            }
            if (any.product().equals(product)) {
                Dialect dialect = any.named(names);
                if (dialect.isMissingTable(e)) {
                    return Failures.missingTables(DOING, dialect, e);
                }
                if (dialect.isMissingRight(e)) {
                    return Failures.missingRightToWrite(connection, dialect, e);
                }
                String advice = dialect.setupAdvice(e);
                return new StoreException(Failures.text(DOING, e) + (advice == null ? "" : " " + advice), e);
            }
        }
        return new StoreException(Failures.text(DOING, e), e);
    }

    private static String product(Connection connection) {
        try {
            return Opening.product(connection.getMetaData());
        } catch (SQLException e) {
            return "unknown";
        }
    }
}
