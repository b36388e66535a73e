package dev.outbox.store.jooq.internal.opening;

import dev.outbox.ConfigurationException;
import dev.outbox.internal.Log;
import dev.outbox.store.jooq.internal.connection.BorrowedConnection;
import dev.outbox.store.jooq.internal.connection.Connections;
import dev.outbox.store.jooq.internal.connection.ReadOnly;
import dev.outbox.store.jooq.internal.dialect.Dialect;
import dev.outbox.store.jooq.internal.schema.StoreErrors;
import java.nio.charset.StandardCharsets;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;

/**
 * Tries once, when a store is opened, everything that its batches rely on. It uses two connections, and transactions
 * like those of relays. Some servers look like a supported one and lack its locks. Some poolers send reads to another
 * server. Triggers change rows, and drivers can be set up in other ways. A store that fails here would have published
 * messages twice, out of order, or never.
 *
 * <p>The rehearsal writes two messages and deletes them. Their topic has a name that no other message can have. If the
 * process dies in between, no relay gets them, no list shows them, and the next rehearsal deletes them after an hour.
 */
public final class Rehearsal {
    /** Has a blank, which the name of a topic must not have. */
    public static final String TOPIC = "outbox rehearsal";

    private static final Log LOG = Log.of(Rehearsal.class);

    private static final String[] GENERATED = {"id"};
    private static final long LEFT_BEHIND_MILLIS = 3_600_000;
    private static final Duration PATIENCE = Duration.ofSeconds(3);

    private final BorrowedConnection first;
    private final BorrowedConnection second;
    private final Dialect dialect;
    private final int lockKey;

    private Rehearsal(BorrowedConnection first, BorrowedConnection second, Dialect dialect, int lockKey) {
        this.first = first;
        this.second = second;
        this.dialect = dialect;
        this.lockKey = lockKey;
    }

    /**
     * Tries everything.
     *
     * @param connections the connections of the relays
     * @throws ConfigurationException if something is not as it must be; its text says what to do
     * @throws SQLException the error of the database
     */
    public static void run(Connections connections, Dialect dialect, int lockKey) throws SQLException {
        try (BorrowedConnection first = connections.borrow()) {
            mayDoAll(first, dialect);
            if (connections.most() == 1) {
                LOG.warn("[OUTBOX-203] The pool has one connection. A relay needs one for each worker, and three more;"
                        + " what its batches rest on takes two to try, and was not tried.");
                return;
            }
            BorrowedConnection beside;
            try {
                beside = connections.borrow();
            } catch (SQLException e) {
                LOG.warn(
                        "[OUTBOX-204] There was no second connection: {}. What batches rest on takes two to try, and"
                                + " was not tried.",
                        e.getMessage());
                return;
            }
            try (BorrowedConnection second = beside) {
                if (isAnsweredBeside(first, second)) {
                    new Rehearsal(first, second, dialect, lockKey).run();
                }
            }
        }
    }

    private static void mayDoAll(BorrowedConnection borrowed, Dialect dialect) throws SQLException {
        try {
            RightsCheck.runOutsideOfTransactions(borrowed.connection(), dialect);
            borrowed.begin();
            RightsCheck.run(borrowed.connection(), dialect);
            borrowed.rollback();
        } catch (SQLException e) {
            if (dialect.isReadOnly(e)) {
                throw new ConfigurationException(
                        ReadOnly.failure("Opening the outbox", borrowed, dialect, e)
                                .getMessage(),
                        e);
            }
            if (dialect.isMissingRight(e)) {
                borrowed.rollback();
                throw StoreErrors.missingRights(borrowed.connection(), dialect, e);
            }
            throw e;
        }
    }

    /**
     * A pooler may have fewer sessions of the server than connections of clients, and a transaction keeps one of
     * them.
     */
    private static boolean isAnsweredBeside(BorrowedConnection first, BorrowedConnection second) throws SQLException {
        try {
            first.begin();
            second.requireAnswer(PATIENCE);
            return true;
        } catch (SQLException e) {
            second.markBroken();
            LOG.warn(
                    "[OUTBOX-205] While a transaction is open on one connection, another gets no answer: {}. Between"
                            + " here and the server there must be as many connections as relays have workers, and some"
                            + " for writers. What batches rest on takes two to try, and was not tried.",
                    e.getMessage());
            return false;
        } finally {
            first.rollback();
        }
    }

    private void run() throws SQLException {
        long highest = highestId();
        long one = 0;
        long other = 0;
        try {
            try {
                first.begin();
                one = insert(first);
                other = insert(first);
                first.commit();
            } catch (SQLException e) {
                if (isDuplicate(e)) {
                    throw behind("an id that is drawn next is taken already: " + e.getMessage());
                }
                throw e;
            } finally {
                first.rollback();
            }
            if (one <= highest) {
                throw behind("there was a message " + highest + " before the id " + one + " was drawn");
            }
            isSeen(one);
            idsRise(one, other);
            isHeld(one, other);
            isSettled(one, other);
        } finally {
            tidyUp(one, other);
        }
    }

    private void isSeen(long one) throws SQLException {
        if (!exists(second, one)) {
            throw refusal(
                    "what one connection has committed, another does not see",
                    "Connect to the server that is written to, and to no replica of it, and not by way of something that sends"
                            + " what only reads elsewhere");
        }
    }

    /** One connection after the other, as writers take turns. */
    private void idsRise(long one, long other) throws SQLException {
        try {
            second.begin();
            long next = insert(second);
            first.begin();
            long last = insert(first);
            if (other <= one || next <= other || last <= next) {
                throw refusal(
                        "the ids " + one + ", " + other + ", " + next + ", " + last
                                + " were drawn one after the other, and do not"
                                + " rise, so that messages would come in another order than they were written in",
                        "Have ids drawn one by one, with no cache, and on one server");
            }
        } finally {
            second.rollback();
            first.rollback();
        }
    }

    private void isHeld(long one, long other) throws SQLException {
        try {
            first.begin();
            second.begin();
            boolean taken = dialect.takeRehearsed(first.connection(), lockKey, one);
            boolean takenAgain = dialect.takeRehearsed(second.connection(), lockKey, one);
            if (!taken || takenAgain) {
                throw refusal(
                        taken
                                ? "what one connection has locked, another gets too, so that two relays would publish the"
                                        + " same messages"
                                : "what nobody has locked cannot be locked",
                        "This server, or what stands before it, lacks the locks of " + dialect.product());
            }
            if (!dialect.takeRehearsed(second.connection(), lockKey, other)) {
                throw refusal(
                        "a lock of one thing keeps others from another, so that one relay would stop all",
                        "This server, or what stands before it, lacks the locks of " + dialect.product());
            }
            second.rollback();
            first.rollback();
            second.begin();
            if (!dialect.takeRehearsed(second.connection(), lockKey, one)) {
                throw refusal(
                        "a lock outlasts its transaction",
                        "This server, or what stands before it, lacks the locks of " + dialect.product());
            }
        } finally {
            second.rollback();
            first.rollback();
        }
    }

    private void isSettled(long one, long other) throws SQLException {
        int deleted;
        try {
            first.begin();
            deleted = dialect.delete(first.connection(), new long[] {one, other});
            first.commit();
        } finally {
            first.rollback();
        }
        if (deleted != 2 || exists(second, one)) {
            throw refusal(
                    "a message that was deleted is still there (" + deleted
                            + " of 2 were deleted, as the database says it), so"
                            + " that it would be published again and again",
                    "Remove what keeps rows of the table outbox_message from being deleted: a trigger, a rule");
        }
    }

    private long highestId() throws SQLException {
        try (Statement statement = first.connection().createStatement();
                ResultSet row = statement.executeQuery(dialect.sql("SELECT max(id) FROM outbox_message"))) {
            row.next();
            return row.getLong(1);
        }
    }

    private long insert(BorrowedConnection borrowed) throws SQLException {
        try (PreparedStatement statement = borrowed.connection()
                .prepareStatement(
                        dialect.sql("INSERT INTO outbox_message (topic, partition_no, payload) VALUES (?, 0, ?)"),
                        GENERATED)) {
            statement.setString(1, TOPIC);
            statement.setBytes(2, "written as a store was opened".getBytes(StandardCharsets.UTF_8));
            statement.executeUpdate();
            try (ResultSet keys = statement.getGeneratedKeys()) {
                keys.next();
                return keys.getLong(1);
            }
        }
    }

    private boolean exists(BorrowedConnection borrowed, long id) throws SQLException {
        try (Statement statement = borrowed.connection().createStatement();
                ResultSet row = statement.executeQuery(dialect.sql("SELECT id FROM outbox_message WHERE id = ") + id)) {
            return row.next();
        }
    }

    /**
     * Removes what rehearsals have left, also those of others. Does not fail: an earlier step has said what is wrong.
     */
    private void tidyUp(long one, long other) {
        String sql = """
                DELETE FROM outbox_message
                WHERE topic = '{topic}' AND partition_no = 0 AND (id = %s OR id = %s OR %s > %s)
                """.formatted(one, other, dialect.millisSince("created_at"), LEFT_BEHIND_MILLIS);
        try (Statement statement = first.connection().createStatement()) {
            statement.execute(dialect.sql(sql).replace("{topic}", TOPIC));
        } catch (SQLException | RuntimeException e) {
            LOG.debug("What was written as a store was opened could not be deleted", e);
        }
    }

    private static boolean isDuplicate(SQLException e) {
        return String.valueOf(e.getSQLState()).startsWith("23");
    }

    private ConfigurationException behind(String what) {
        return new ConfigurationException(
                dialect.sql("Opening the outbox failed: " + what + ". The rows of outbox_message were"
                        + " restored, or copied, and where ids are drawn from was not. New messages would be refused, or get the ids of"
                        + " others, or come before older ones. Run this:\n\n" + dialect.raiseIds()));
    }

    private ConfigurationException refusal(String what, String advice) {
        return new ConfigurationException(
                dialect.sql("Opening the outbox failed, because of what was seen on two connections: " + what + ". "
                        + advice + "."));
    }
}
