package dev.outbox.store.jooq.internal.close;

import dev.outbox.HoldLostException;
import dev.outbox.OutboxException;
import dev.outbox.PersistedMessage;
import dev.outbox.StoreException;
import dev.outbox.internal.Log;
import dev.outbox.internal.QuickHold;
import dev.outbox.spi.Outcome;
import dev.outbox.store.jooq.internal.checkout.ReadPositions;
import dev.outbox.store.jooq.internal.connection.BorrowedConnection;
import dev.outbox.store.jooq.internal.connection.ReadOnly;
import dev.outbox.store.jooq.internal.dialect.Dialect;
import dev.outbox.store.jooq.internal.dialect.LastAnswer;
import dev.outbox.store.jooq.internal.partition.HeldPartition;
import dev.outbox.store.jooq.internal.schema.StoreErrors;
import dev.outbox.store.support.OutcomeBatch;
import dev.outbox.store.support.PartitionOutcome;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A batch is a transaction on one connection, and it holds its partitions by locks of that transaction. If the process
 * or the connection dies, the database frees the partitions. A close that comes too late has no connection to do harm
 * with.
 */
public final class JdbcBatch extends OutcomeBatch implements QuickHold {
    private static final Log LOG = Log.of(JdbcBatch.class);
    private static final String DOING = "Closing a batch";
    private static final String CHANGED = "Something else has changed the tables of the outbox.";
    private static final String LOST =
            DOING + " failed: its connection was lost, and its hold with it. Nothing of it took"
                    + " effect; its messages will be handed out again. ";
    private static final long NO_SEQUENCE_COMES_TO = 1L << 62;

    /**
     * A batch that was open for longer than this is closed in two round trips, delete and then commit. If the
     * connection died while the batch was open, the delete fails, and so nothing took effect. After such a time the
     * second round trip costs nothing in comparison. In one round trip, the effect of a lost connection would be
     * unknown.
     */
    public static final long SHORT_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    /** Enough for the answer of a reachable server, if other servers have used up the time already. */
    public static final long LEAST_PATIENCE_NANOS = TimeUnit.MILLISECONDS.toNanos(200);

    private final LastAnswer start;
    private final Dialect dialect;
    private final ReadPositions readPositions;
    private final List<HeldPartition> held;
    private final Consumer<JdbcBatch> onClose;

    /** The thread that has it uses the connection. */
    private final ReentrantLock using = new ReentrantLock();

    private volatile @Nullable BorrowedConnection borrowed;

    /** The connection that a close is using now. */
    private volatile @Nullable BorrowedConnection closing;

    private volatile LastAnswer proof;
    private volatile @Nullable Throwable lost;

    /** Whether the store was closed and did not wait for the thread that uses the connection, which then ends it. */
    private volatile boolean abandoned;

    public JdbcBatch(
            Dialect dialect,
            ReadPositions readPositions,
            List<HeldPartition> held,
            @Nullable BorrowedConnection borrowed,
            LastAnswer asked,
            Consumer<JdbcBatch> onClose) {
        super(messages(held));
        this.dialect = dialect;
        this.readPositions = readPositions;
        this.held = held;
        this.borrowed = borrowed;
        this.proof = asked;
        this.start = asked;
        this.onClose = onClose;
    }

    private static List<PersistedMessage> messages(List<HeldPartition> held) {
        List<PersistedMessage> messages = new ArrayList<>(
                held.stream().mapToInt(partition -> partition.messages.size()).sum());
        held.forEach(partition -> messages.addAll(partition.messages));
        return messages;
    }

    /**
     * The locks exist as long as the session does, and a recent answer of the server proves that it does. If that
     * answer is too old, this method asks the server. After a sleep of the machine, or while the network is gone, the
     * server may have ended the session and given the partitions to others. The thread of {@link SignsOfLife} asks
     * every few seconds anyway.
     */
    @Override
    public boolean isHeld() {
        if (!outcomes.isOpen() || held.isEmpty()) {
            return outcomes.isOpen();
        }
        if (!hasConnection()) {
            return false;
        }
        if (isProvenAt(System.nanoTime())) {
            return true;
        }
        using.lock();
        try {
            return isAlive(SignsOfLife.trust()) && !abandoned;
        } finally {
            unlock();
        }
    }

    /** True while a recent answer of the server proves that the session is there, which is nearly always. */
    @Override
    public boolean isHeldAt(long now) {
        return outcomes.isOpen() && hasConnection() && isProvenAt(now);
    }

    private boolean hasConnection() {
        BorrowedConnection open = borrowed;
        return !abandoned && open != null && !open.isClosed();
    }

    private boolean isProvenAt(long now) {
        return proof.isYoungerThan(SignsOfLife.trustNanos(), now);
    }

    /** Asks the server, unless a close or another thread uses the connection. */
    void giveSignOfLife() {
        if (!proof.isYoungerThan(SignsOfLife.trust().dividedBy(2)) && using.tryLock()) {
            try {
                isAlive(SignsOfLife.trust().dividedBy(2));
            } finally {
                unlock();
            }
        }
    }

    /**
     * Unlocks, and ends the connection if the batch was abandoned meanwhile. A server may have answered just before
     * the connection was to be ended. So a thread that unlocks looks whether the batch was abandoned, and
     * {@link #lose} looks again whether the lock is free after it has abandoned the batch. One of the two sees it.
     */
    private void unlock() {
        using.unlock();
        if (abandoned && using.tryLock()) {
            try {
                BorrowedConnection ended = borrowed;
                borrowed = null;
                if (ended != null) {
                    ended.drop();
                }
            } finally {
                using.unlock();
            }
        }
    }

    private boolean isAlive(Duration trust) {
        BorrowedConnection open = borrowed;
        if (open == null) {
            return false;
        }
        if (proof.isYoungerThan(trust)) {
            return true; // another thread has just asked
        }
        LastAnswer asked = LastAnswer.now();
        try {
            open.requireAlive(SignsOfLife.patience());
            proof = asked;
            return true;
        } catch (SQLException | RuntimeException | Error e) {
            lost = e;
            borrowed = null;
            open.drop();
            readPositions.forgetAll();
            return false;
        }
    }

    /**
     * Ends the hold because the store is being closed. Until the deadline it waits for a close that has begun and for
     * the server. After the deadline it ends the connection, because the server may be unreachable. The server rolls a
     * transaction back when it notices that the connection is gone.
     */
    public void lose(long deadline) {
        if (!lockWithin(patience(deadline))) {
            abandoned = true;
            if (!using.tryLock()) {
                BorrowedConnection used = closing;
                used = used != null ? used : borrowed;
                if (used != null) {
                    used.abortForOthers(); // the thread that uses it gets an exception, and returns it
                }
                return;
            }
        }
        try {
            BorrowedConnection ended = borrowed;
            borrowed = null;
            if (ended != null) {
                ended.closeWithin(Duration.ofNanos(patience(deadline)));
            }
        } finally {
            using.unlock();
        }
    }

    /**
     * Some time is left after the deadline, too. A close or a server that works must not suffer from others that do
     * not.
     */
    private static long patience(long deadline) {
        return Math.max(LEAST_PATIENCE_NANOS, deadline - System.nanoTime());
    }

    private boolean lockWithin(long nanos) {
        long deadline = System.nanoTime() + nanos;
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return using.tryLock(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
                } catch (InterruptedException e) {
                    interrupted = true; // a close in progress is not cut short for that
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    public void close() {
        using.lock();
        try {
            closeOnce();
        } finally {
            using.unlock();
        }
    }

    private void closeOnce() {
        if (outcomes.close()) {
            try {
                end();
            } finally {
                onClose.accept(this); // not earlier, because closing the store ends a close that waits for its server
            }
        }
    }

    private void end() {
        BorrowedConnection open = borrowed;
        closing = open;
        borrowed = null;
        if (open == null) {
            Throwable cause = lost;
            if (cause != null) {
                throw new HoldLostException(LOST + cause.getMessage(), cause);
            }
            if (!held.isEmpty()) {
                throw new HoldLostException(DOING + " failed: its store was closed before. Nothing of it took effect;"
                        + " its messages will be handed out again.");
            }
            return;
        }
        try (open) {
            if (isAnyMarked()) {
                apply(open);
            } else {
                release(open);
            }
        } finally {
            closing = null;
        }
    }

    /** Nothing was marked. But a caller that no longer held its partitions must be told. */
    private void release(BorrowedConnection open) {
        try {
            open.rollback();
        } catch (SQLException | RuntimeException e) {
            open.markBroken();
            readPositions.forgetAll();
            throw new HoldLostException(LOST + e.getMessage(), e);
        }
    }

    private boolean isAnyMarked() {
        for (int i = 0; i < outcomes.messages().size(); i++) {
            if (outcomes.at(i) != null) {
                return true;
            }
        }
        return false;
    }

    private void apply(BorrowedConnection open) {
        Connection connection = open.connection();
        open.change();
        boolean deletesAtCommit = isDeletedAtCommit(open);
        long[] settled;
        int deleted = 0;
        try {
            settled = settle(connection);
            int first = 0;
            for (HeldPartition partition : held) {
                noteFailures(connection, partition, first);
                first += partition.messages.size();
            }
            if (settled.length > 0 && !deletesAtCommit) {
                deleted = dialect.delete(connection, settled);
            }
        } catch (SQLException e) {
            if (StoreErrors.isLost(connection, e)) {
                open.markBroken();
                readPositions.forgetAll();
                throw new HoldLostException(LOST + e.getMessage(), e);
            }
            throw refused(open, e);
        } catch (RuntimeException e) {
            if (e instanceof HoldLostException) {
                throw e;
            }
            open.markBroken();
            throw StoreErrors.unexpected(DOING, e);
        } catch (Error e) {
            open.markBroken(); // an answer may not have been read to its end
            throw e;
        }
        try {
            if (settled.length > 0 && deletesAtCommit) {
                deleted = dialect.deleteAndCommit(connection, settled);
                open.committed();
            } else {
                open.commit();
            }
        } catch (SQLException | RuntimeException e) {
            if (deletesAtCommit && e instanceof SQLException error && !StoreErrors.isLost(connection, error)) {
                throw refused(open, error);
            }
            open.markBroken();
            readPositions.forgetAll();
            throw new StoreException(
                    "The commit of a batch was not confirmed: either all its outcomes took effect or none. Messages that"
                            + " were published may be handed out again. " + e.getMessage(),
                    e);
        } catch (Error e) {
            open.markBroken();
            readPositions.forgetAll();
            throw e;
        }
        if (deleted != settled.length) {
            // Undoing it would help no one: all of these messages were published, and would be published again.
            LOG.error(
                    "[OUTBOX-212] Of {} messages that a batch has settled, {} were not there any more when it was"
                            + " closed. {}",
                    settled.length,
                    settled.length - deleted,
                    CHANGED);
        }
        noteReadPositions();
    }

    private boolean isDeletedAtCommit(BorrowedConnection open) {
        return open.isDedicated()
                && dialect.deletesAndCommitsAtOnce()
                && start.isYoungerThan(Duration.ofNanos(SHORT_NANOS));
    }

    private OutboxException refused(BorrowedConnection open, SQLException e) {
        String doing = DOING + ", of which nothing took effect,";
        return dialect.isReadOnly(e) ? ReadOnly.failure(doing, open, dialect, e) : StoreErrors.of(doing, dialect, e);
    }

    /** Writes what is settled to where it goes, and returns the row ids of all messages that are settled. */
    private long[] settle(Connection connection) throws SQLException {
        Moves moves = new Moves();
        long[] settled = new long[outcomes.messages().size()];
        int count = 0;
        int index = 0;
        for (HeldPartition partition : held) {
            for (int i = 0; i < partition.messages.size(); i++, index++) {
                Outcome outcome = outcomes.at(index);
                if (outcome instanceof Outcome.DeadLettered dead) {
                    bury(connection, partition.rowId(i), dead);
                } else if (outcome instanceof Outcome.Moved to) {
                    moves.add(partition.rowId(i), to);
                }
                if (PartitionOutcome.isSettled(outcome)) {
                    settled[count++] = partition.rowId(i);
                }
            }
        }
        int missing = moves.write(connection, dialect);
        if (missing > 0) {
            LOG.error(
                    "[OUTBOX-213] When a batch was closed, the rows of {} messages that were to move were not there"
                            + " any more. {}",
                    missing,
                    CHANGED);
        }
        return Arrays.copyOf(settled, count);
    }

    /**
     * Moves a message to the dead letters. No row that is there can prevent that. The dead letter has the row id of
     * the message, unless there is a dead letter of that number. That can happen if numbers were given out again. Then
     * it gets a number that no sequence reaches. Several dead letters may have the same message id.
     */
    private void bury(Connection connection, long rowId, Outcome.DeadLettered dead) throws SQLException {
        String sql = """
                INSERT INTO outbox_dead_letter (id, message_id, topic, partition_no, message_key, headers, payload,
                    attempts, created_at, reason, died_at)
                SELECT CASE WHEN EXISTS (SELECT 1 FROM outbox_dead_letter d WHERE d.id = m.id) THEN ? ELSE m.id END, ?,
                    m.topic, m.partition_no, m.message_key, m.headers, m.payload, m.attempts + 1, m.created_at, ?, %s
                FROM outbox_message m WHERE m.id = ?
                """.formatted(dialect.now());
        try (PreparedStatement statement = connection.prepareStatement(dialect.sql(sql))) {
            statement.setLong(1, ThreadLocalRandom.current().nextLong(NO_SEQUENCE_COMES_TO, Long.MAX_VALUE));
            statement.setString(2, dead.message().id());
            statement.setString(3, dead.reason());
            statement.setLong(4, rowId);
            isThere(statement.executeUpdate(), "a message that was to become a dead letter");
        }
    }

    /** Counts attempts and delays the partition, or notes that it fails no longer. */
    private void noteFailures(Connection connection, HeldPartition partition, int first) throws SQLException {
        long failingId = 0;
        String reason = "";
        Duration delay = Duration.ZERO;
        boolean passed = partition.failingId != 0 && partition.rowId(0) > partition.failingId && partition.fromStart();
        long head = 0;
        for (int i = 0; i < partition.messages.size(); i++) {
            Outcome outcome = outcomes.at(first + i);
            if (outcome instanceof Outcome.Failed failed && countAttempt(connection, partition.rowId(i))) {
                if (failingId == 0) {
                    failingId = partition.rowId(i);
                    reason = failed.reason();
                }
                delay = failed.retryAfter().compareTo(delay) > 0 ? failed.retryAfter() : delay;
            }
            passed |= PartitionOutcome.isSettled(outcome) && partition.rowId(i) == partition.failingId;
            if (!PartitionOutcome.isSettled(outcome) && head == 0) {
                head = partition.rowId(i);
            }
        }
        if (failingId != 0) {
            String sql =
                    "UPDATE outbox_partition SET failing_id = ?, reason = ?, failed_at = %s, retry_at = %s WHERE id = ?"
                            .formatted(dialect.now(), dialect.nowPlusMillis());
            try (PreparedStatement statement = connection.prepareStatement(dialect.sql(sql))) {
                statement.setLong(1, failingId);
                statement.setString(2, reason);
                statement.setLong(3, delay.plusNanos(999_999).toMillis());
                statement.setInt(4, partition.partition.id());
                isThere(statement.executeUpdate(), "a partition that was to wait");
            }
        } else if (passed) {
            goOn(connection, partition, head);
        }
    }

    /**
     * Tells the partition which message fails now, after the message that failed was settled. The new head of the
     * partition is the first row from this one on, or else after the batch. If it had failed together with the settled
     * message, it is the one that fails now. Otherwise none does.
     */
    private void goOn(Connection connection, HeldPartition partition, long head) throws SQLException {
        long next = dialect.head(connection, partition.partition, head == 0 ? partition.lastRowId() : head - 1);
        String failing = """
                UPDATE outbox_partition
                SET failing_id = (SELECT h.id FROM outbox_message h WHERE h.id = ? AND h.attempts > 0)
                WHERE id = ?
                """;
        try (PreparedStatement statement = connection.prepareStatement(dialect.sql(failing))) {
            statement.setLong(1, next);
            statement.setInt(2, partition.partition.id());
            isThere(statement.executeUpdate(), "a partition whose failing message was settled");
        }
        String none = """
                UPDATE outbox_partition SET reason = NULL, failed_at = NULL, retry_at = NULL
                WHERE id = ? AND failing_id IS NULL
                """;
        try (PreparedStatement statement = connection.prepareStatement(dialect.sql(none))) {
            statement.setInt(1, partition.partition.id());
            statement.executeUpdate();
        }
    }

    private boolean countAttempt(Connection connection, long rowId) throws SQLException {
        try (PreparedStatement statement = connection.prepareStatement(
                dialect.sql("UPDATE outbox_message SET attempts = attempts + 1 WHERE id = ?"))) {
            statement.setLong(1, rowId);
            return isThere(statement.executeUpdate(), "a message whose attempt was to be counted");
        }
    }

    /** Notes read positions, which end before the first message that is left. Otherwise reads would pass over it. */
    private void noteReadPositions() {
        int index = 0;
        for (HeldPartition partition : held) {
            int size = partition.messages.size();
            int settled = PartitionOutcome.of(outcomes, index, size).settledPrefix();
            long upTo = settled == size ? partition.rowId(size - 1) : partition.rowId(settled) - 1;
            readPositions.settled(partition.partition, upTo, settled, partition.decidedUpTo);
            index += size;
        }
    }

    /**
     * Whether a row was there. Under our lock a row can vanish only if another client wrote to the tables past the
     * outbox. The rest of the batch is settled nevertheless. It is changed by row ids that are given out once, of
     * messages that were published, so that is right whatever else was changed. If it were undone, all of these would
     * be published again.
     */
    private static boolean isThere(int rows, String what) {
        if (rows == 0) {
            LOG.error("[OUTBOX-214] When a batch was closed, the row of {} was not there any more. {}", what, CHANGED);
        }
        return rows > 0;
    }
}
