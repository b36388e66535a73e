package dev.outbox.store.jooq.internal.persist;

import dev.outbox.MisuseException;
import dev.outbox.store.jooq.internal.schema.StoreErrors;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import org.jspecify.annotations.Nullable;

/**
 * Whether a connection is in a transaction that a message can share.
 *
 * <p>A closed connection is in none. With auto-commit off there is a transaction, or this statement begins one. Both
 * cost nothing to ask. The connection does not tell then whether a commit will follow: the first statement of a
 * transaction looks like a statement after its commit. Where a pool has auto-commit off, the caller must know that.
 *
 * <p>With auto-commit on there may be a transaction nevertheless: in a branch of a distributed transaction, which the
 * drivers of MySQL and MariaDB begin without touching that setting, or after a BEGIN in SQL. So the transaction itself
 * is asked, by a savepoint: it is there for the next statement if there is a transaction around both, and not if each
 * statement is one of its own. That is so on every database; and where there is none, nothing has happened.
 */
public final class OpenTransaction {
    private static final String PROBE = "outbox_asks_for_a_transaction";

    static final String READ_ONLY =
            "The transaction is read-only, so neither the message nor anything else can be written in"
                    + " it: begin one that may write. With Spring that is @Transactional without readOnly = true, with JDBC"
                    + " setReadOnly(false) before the transaction.";

    static final String FAILED =
            "A statement of this transaction has failed before, and PostgreSQL takes no other in it: roll the transaction back, or"
                    + " back to a savepoint from before that statement, and publish then. What failed is not the message.";

    private static final String H2 = "H2";

    private OpenTransaction() {}

    /** @throws MisuseException if there is none */
    static void require(Connection connection) throws SQLException {
        if (connection.isClosed()) {
            throw new MisuseException(
                    "The connection is closed, so there is no transaction that the message could share:"
                            + " it was given back to its pool, or it broke. Publish with the connection of the transaction,"
                            + " before you commit and close it.");
        }
        if (connection.getAutoCommit()) {
            if (connection.getMetaData().getDatabaseProductName().equals(H2)) {
                throw none(null);
            }
            try (Statement statement = connection.createStatement()) {
                statement.execute("SAVEPOINT " + PROBE);
                statement.execute("RELEASE SAVEPOINT " + PROBE);
            } catch (SQLException e) {
                if (hasFailed(e) || StoreErrors.isLost(connection, e)) {
                    throw e;
                }
                throw none(e);
            }
        }
    }

    private static MisuseException none(@Nullable SQLException e) {
        return new MisuseException(
                "The connection is in auto-commit mode and in no transaction that the message could share: it"
                        + " would be published even if your other changes fail. With JDBC, call"
                        + " setAutoCommit(false) first; with jOOQ, publish within transaction(…) and use the"
                        + " Configuration it hands you; with a supplier, begin a transaction first, and have it"
                        + " return the connection of that; in a distributed transaction, publish between start"
                        + " and end of its branch.",
                e);
    }

    /** Whether there is a transaction, in which something has failed so that nothing more can be done in it. */
    static boolean hasFailed(SQLException e) {
        return "25P02".equals(e.getSQLState());
    }
}
