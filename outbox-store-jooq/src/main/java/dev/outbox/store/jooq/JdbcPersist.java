package dev.outbox.store.jooq;

import dev.outbox.MessageRejectedException;
import dev.outbox.MisuseException;
import dev.outbox.OutgoingMessage;
import dev.outbox.StoreException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;

/** Writes a message in a transaction of the application, by one statement. */
final class JdbcPersist {
    private static final String INSERT =
            "INSERT INTO outbox_message (topic, partition_no, message_key, headers, payload) VALUES (?, ?, ?, ?, ?)";
    private static final String[] GENERATED = {"id"};
    private static final String DOING = "Writing a message to the outbox";

    private JdbcPersist() {}

    static String persist(Connection connection, OutgoingMessage message) {
        try {
            if (connection.getAutoCommit()) {
                throw new MisuseException("The connection is in auto-commit mode, so there is no transaction that the"
                        + " message could share: it would be published even if your other changes fail. With JDBC, call"
                        + " setAutoCommit(false) first; with jOOQ, publish within transaction(…) and use the"
                        + " Configuration it hands you.");
            }
            try (PreparedStatement insert = connection.prepareStatement(INSERT, GENERATED)) {
                insert.setString(1, message.topic());
                insert.setInt(2, message.partition());
                insert.setString(3, message.key());
                insert.setString(4, Headers.write(message.headers()));
                insert.setBytes(5, message.payload());
                insert.executeUpdate();
                try (ResultSet keys = insert.getGeneratedKeys()) {
                    if (!keys.next()) {
                        throw new StoreException(DOING + " failed: the database returned no id.");
                    }
                    return Long.toString(keys.getLong(1));
                }
            }
        } catch (SQLException e) {
            // Only a failure asks which database this is, so that success costs nothing.
            for (Dialect dialect : Dialect.ALL) {
                if (dialect.isMissingTable(e) && dialect.product().equals(product(connection))) {
                    throw Failures.missingTables(DOING, dialect, e);
                }
                String tooLarge = dialect.tooLarge(e);
                if (tooLarge != null) {
                    throw new MessageRejectedException(tooLarge, e);
                }
            }
            throw new StoreException(Failures.text(DOING, e), e);
        }
    }

    private static String product(Connection connection) {
        try {
            return Opening.product(connection.getMetaData());
        } catch (SQLException e) {
            return "unknown";
        }
    }
}
