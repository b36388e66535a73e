package dev.outbox.store.jooq.internal.persist;

import dev.outbox.MessageRejectedException;
import dev.outbox.MisuseException;
import dev.outbox.OutgoingMessage;
import dev.outbox.StoreException;
import dev.outbox.store.jooq.internal.dialect.Advice;
import dev.outbox.store.jooq.internal.dialect.Dialect;
import dev.outbox.store.jooq.internal.dialect.Dialects;
import dev.outbox.store.jooq.internal.dialect.MySqlServerKind;
import dev.outbox.store.jooq.internal.dialect.TableNames;
import dev.outbox.store.jooq.internal.schema.StoreErrors;
import dev.outbox.store.support.HeadersJson;
import java.sql.BatchUpdateException;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Writes messages in a transaction of the application, each by one statement. Immutable. */
public final class JdbcPersist {
    /**
     * MariaDB's driver prepares a batch on the server and waits for that, which takes three times as long as sending
     * its statements one after the other. It sends them one after the other if they must return something.
     */
    private static final String[] UNWANTED = {"id"};

    private static final String DOING = "Writing a message to the outbox";

    /** With escaping, the least that any server is set up to take in one piece. */
    private static final int LARGE = 500_000;

    /** The statement itself, the topic and the key. */
    private static final int BESIDES = 8_000;

    private final TableNames names;
    private final String insert;

    public JdbcPersist(TableNames names) {
        this.names = names;
        this.insert = names.in("INSERT INTO outbox_message (topic, partition_no, message_key, headers, payload,"
                + " message_id) VALUES (?, ?, ?, ?, ?, ?)");
    }

    /** Several in one round trip, where the driver can. */
    public List<String> persist(Connection connection, List<OutgoingMessage> messages) {
        if (messages.size() <= 1 || messages.stream().anyMatch(m -> m.payload().length > LARGE)) {
            return messages.stream().map(m -> persist(connection, m)).toList();
        }
        try {
            OpenTransaction.require(connection);
            return write(connection, messages);
        } catch (SQLException e) {
            throw failure(connection, withoutTheRow(e));
        }
    }

    /** The failure of a batch may quote the row it was for, with the payload in it; what the server said follows it. */
    private static SQLException withoutTheRow(SQLException e) {
        SQLException said = e instanceof BatchUpdateException ? e.getNextException() : null;
        return said == null ? e : said;
    }

    private String persist(Connection connection, OutgoingMessage message) {
        long most = Long.MAX_VALUE;
        try {
            OpenTransaction.require(connection);
            if (message.payload().length > LARGE) {
                most = mostBytes(connection);
                if (most <= message.payload().length) {
                    throw tooLarge(message, most, null);
                }
            }
            return write(connection, List.of(message)).get(0);
        } catch (SQLException e) {
            if (most <= escaped(message) && StoreErrors.isLost(connection, e)) {
                throw tooLarge(message, most, e);
            }
            throw failure(connection, e);
        }
    }

    /** Asks for nothing in return: the ids are there before, and where a row stands is for relays to know. */
    private List<String> write(Connection connection, List<OutgoingMessage> messages) throws SQLException {
        boolean several = messages.size() > 1;
        try (PreparedStatement statement = several && product(connection).equals(MySqlServerKind.MARIADB.product())
                ? connection.prepareStatement(insert, UNWANTED)
                : connection.prepareStatement(insert)) {
            for (OutgoingMessage message : messages) {
                statement.setString(1, message.topic());
                statement.setInt(2, message.partition());
                statement.setString(3, message.key());
                statement.setString(4, headers(message));
                statement.setBytes(5, message.payload());
                statement.setString(6, message.id());
                if (several) {
                    statement.addBatch();
                }
            }
            int[] written = several ? statement.executeBatch() : new int[] {statement.executeUpdate()};
            // A driver that makes one statement of a batch does not say how many rows each wrote, which is negative.
            if (Arrays.stream(written).anyMatch(rows -> rows == 0)) {
                throw new StoreException(
                        DOING + " failed: the database took the INSERT and wrote no row. A trigger or a rule"
                                + " of the table may have kept it from that. Roll the transaction back.");
            }
            return messages.stream().map(OutgoingMessage::id).toList();
        }
    }

    private static @Nullable String headers(OutgoingMessage message) {
        return message.headers().isEmpty() ? null : HeadersJson.text(message.headers());
    }

    private static MessageRejectedException tooLarge(OutgoingMessage message, long most, @Nullable SQLException e) {
        return new MessageRejectedException(
                Advice.TOO_LARGE + " The payload has " + message.payload().length + " bytes"
                        + (e == null ? "" : ", escaped up to " + escaped(message)) + ", the setting is " + most + ".",
                e);
    }

    /** What the message comes to where a driver writes it into the statement's text. */
    private static long escaped(OutgoingMessage message) {
        String headers = headers(message);
        long bytes = BESIDES + message.payload().length + (headers == null ? 0 : 4L * headers.length());
        for (byte b : message.payload()) {
            bytes += b == 0 || b == '\'' || b == '"' || b == '\\' || b == '\n' || b == '\r' || b == 26 ? 1 : 0;
        }
        return bytes;
    }

    /**
     * The bytes that the server takes in one piece. MariaDB ends the connection without a word that its driver would
     * hear, so it is asked before.
     */
    private static long mostBytes(Connection connection) throws SQLException {
        String product = product(connection);
        for (Dialect dialect : Dialects.ALL) {
            String limit = dialect.product().equals(product) ? dialect.mostBytes() : null;
            if (limit != null) {
                try (Statement statement = connection.createStatement();
                        ResultSet row = statement.executeQuery(limit)) {
                    row.next();
                    return row.getLong(1);
                }
            }
        }
        return Long.MAX_VALUE;
    }

    /** Only a failure asks which database this is, so that success costs nothing. */
    private RuntimeException failure(Connection connection, SQLException e) {
        if (OpenTransaction.hasFailed(e)) {
            return new StoreException(OpenTransaction.FAILED + " " + e.getMessage(), e);
        }
        String product = product(connection);
        for (Dialect any : Dialects.ALL) {
            String tooLarge = any.tooLarge(e);
            if (tooLarge != null) {
                return new MessageRejectedException(tooLarge, e);
            }
            if (any.product().equals(product)) {
                Dialect dialect = any.named(names);
                if (dialect.isReadOnlyTransaction(connection, e)) {
                    return new MisuseException(OpenTransaction.READ_ONLY + " " + e.getMessage(), e);
                }
                if (names.schema() != null && StoreErrors.isSyntaxError(e)) {
                    return StoreErrors.reservedWord(names, e);
                }
                if (dialect.isMissingTable(e)) {
                    return StoreErrors.missingTables(DOING, dialect, e);
                }
                if (dialect.isMissingRight(e)) {
                    return StoreErrors.missingRightToWrite(connection, dialect, e);
                }
                String advice = dialect.setupAdvice(e);
                return new StoreException(StoreErrors.text(DOING, e) + (advice == null ? "" : " " + advice), e);
            }
        }
        return new StoreException(StoreErrors.text(DOING, e), e);
    }

    private static String product(Connection connection) {
        try {
            return Dialects.product(connection.getMetaData());
        } catch (SQLException e) {
            return "unknown";
        }
    }
}
