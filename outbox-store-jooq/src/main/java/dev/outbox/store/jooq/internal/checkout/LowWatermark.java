package dev.outbox.store.jooq.internal.checkout;

import dev.outbox.store.jooq.internal.dialect.Dialect;
import dev.outbox.store.jooq.internal.partition.OpenTransactions;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Collections;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * The row id up to which no message can appear. An id is given at insert and seen at commit. So a settled message says
 * nothing about lower ids of transactions that are still open. Below the low watermark there are none.
 *
 * <p>Why: a transaction locks the table before it draws its first id, and keeps the lock until its outcome is visible,
 * also if it commits in two phases. Take any id that was drawn. Every transaction with a lower id that is still open
 * has the table locked now. When all of these have ended, every id up to the one that was drawn is decided. A later
 * read sees the messages that were committed.
 *
 * <p>Under strict order, nothing above the low watermark is handed out. So a partition comes in the order of its ids
 * without an exception, and nothing needs to be remembered for that: every row below a message that was handed out was
 * decided before that message was read.
 *
 * <p>The low watermark never goes down while the server runs and ids rise. A server that was started again, or that
 * took over from another and may lack some of its data, may draw ids again. Then everything is forgotten. Safe for use
 * by several threads.
 */
public final class LowWatermark {
    /**
     * Bounds the cost of asking while only read positions depend on it: a tenth of the time, and no more often than
     * this.
     */
    private static final long LEAST_PAUSE = TimeUnit.MILLISECONDS.toNanos(10);

    private final Dialect dialect;
    private final int lockKey;
    private final boolean strictOrder;
    private long highestRead;
    private long finalUpTo;
    private long nextLook = System.nanoTime();
    private String server = "";

    /**
     * The transactions that must end before the low watermark can rise to {@link #awaitedUpTo}. Empty if none is
     * awaited.
     */
    private Set<String> awaited = Set.of();

    private long awaitedUpTo;

    /** When the low watermark was last found to be where it is. */
    private long decidedAt;

    private long awaitedSince;

    public LowWatermark(Dialect dialect, int lockKey, boolean strictOrder) {
        this.dialect = dialect;
        this.lockKey = lockKey;
        this.strictOrder = strictOrder;
    }

    /** The row id below and at which everything is decided; 0 if nothing is known. */
    synchronized long get() {
        return finalUpTo;
    }

    /**
     * The row id up to which a read may go.
     *
     * @param decidedUpTo the low watermark of the time before the read
     */
    long end(long decidedUpTo) {
        return strictOrder ? decidedUpTo : Long.MAX_VALUE;
    }

    /** Notes that a message with this row id was read. */
    synchronized void read(long rowId) {
        highestRead = Math.max(highestRead, rowId);
    }

    /**
     * To be called before a checkout looks for anything. Under strict order every checkout asks. So if no transaction
     * writes, all messages that were committed before are handed out. If one does, only those wait that were written
     * after it began to write, or since the checkout before.
     */
    void beforeCheckout(Connection connection) throws SQLException {
        if (strictOrder) {
            ask(connection, 0);
        }
    }

    /** Asks for the sake of read positions, unless another thread has asked a moment ago. */
    void look(Connection connection) throws SQLException {
        long started = System.nanoTime();
        long read;
        synchronized (this) {
            if (strictOrder || started - nextLook < 0) {
                return;
            }
            nextLook = started + TimeUnit.SECONDS.toNanos(1); // one asks, the others go on
            read = highestRead;
        }
        ask(connection, read);
        long ended = System.nanoTime();
        synchronized (this) {
            nextLook = ended + Math.max(LEAST_PAUSE, 10 * (ended - started));
        }
    }

    private void ask(Connection connection, long read) throws SQLException {
        long started = System.nanoTime();
        OpenTransactions writers = dialect.writers(connection, lockKey, strictOrder);
        if (writers != null) {
            saw(read, writers, started, System.nanoTime());
        }
    }

    /**
     * Whether ids are drawn again that were drawn before. The table may have been emptied with its sequence, or
     * restored in place.
     */
    private boolean hasGoneBack(OpenTransactions writers, long started) {
        return strictOrder && started - decidedAt >= 0 && writers.drawn() < finalUpTo;
    }

    /** These transactions were writing, at some time between two, after the row id had been read. */
    synchronized void saw(long read, OpenTransactions writers, long started, long ended) {
        Set<String> open = writers.transactions();
        long upTo = Math.max(read, writers.drawn());
        if (!server.equals(writers.server()) || hasGoneBack(writers, started)) {
            upTo = server.isEmpty() ? upTo : writers.drawn();
            server = writers.server();
            highestRead = 0;
            finalUpTo = 0;
            awaited = Set.of();
            awaitedSince = started;
        }
        if (open.isEmpty()) {
            finalUpTo = Math.max(finalUpTo, upTo);
            decidedAt = ended;
        }
        // A thread that asked before another one found the awaited transactions could not see all of them.
        if (started - awaitedSince >= 0 && Collections.disjoint(awaited, open)) {
            finalUpTo = Math.max(finalUpTo, awaited.isEmpty() ? 0 : awaitedUpTo);
            decidedAt = ended;
            awaited = open;
            awaitedUpTo = upTo;
            awaitedSince = ended;
        }
    }
}
