package dev.outbox.store.jooq.internal.dialect;

import java.sql.Connection;
import java.sql.SQLException;
import org.jspecify.annotations.Nullable;

/** What errors of a database mean. */
public interface ErrorMeanings {
    /** Whether a statement was given up because it would have had to wait for others. */
    boolean isLockTimeout(SQLException e);

    /** Whether an exception may say that nothing can be written; {@link TransactionDialect#whyReadOnly} knows more. */
    boolean isReadOnly(SQLException e);

    /**
     * Whether nothing can be written because the transaction of a connection was begun read-only. The reason may also
     * be the database, or a setting of the session; then the answer is false.
     */
    boolean isReadOnlyTransaction(Connection connection, SQLException e);

    /** Whether a table or column is missing. */
    boolean isMissingTable(SQLException e);

    /** Whether the user lacks a right to a table. */
    boolean isMissingRight(SQLException e);

    /** What to say if a message was too large for the server; null if that is not what happened. */
    @Nullable
    String tooLarge(SQLException e);

    /** What to change if opening a connection failed by something set up wrongly; null if trying again may help. */
    @Nullable
    String setupAdvice(SQLException e);
}
