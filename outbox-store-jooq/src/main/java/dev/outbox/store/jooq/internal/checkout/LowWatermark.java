package dev.outbox.store.jooq.internal.checkout;

import dev.outbox.store.jooq.internal.dialect.Dialect;
import dev.outbox.store.jooq.internal.partition.OpenTransactions;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Collections;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * Up to which row id no message can appear any more. An id is given at insert and seen at commit, so what was settled says
 * nothing about lower ids of transactions that are still open. Below the floor there are none.
 *
 * <p>Why: a transaction locks the table before it draws its first id and until its outcome is visible, also if it commits
 * in two phases. Let an id have been drawn by anybody; then every transaction with a lower id that is still open is among
 * those that have the table locked now. Once all of these have ended, every id up to the one that was drawn is decided,
 * and a later read sees what was committed.
 *
 * <p>Under strict order nothing above the floor is handed out. So a partition comes in the order of its ids without an
 * exception, and nothing is needed to remember it by: whatever is below what was handed out was decided before it was
 * read.
 *
 * <p>Never goes down, as long as the server runs and ids rise. One that was started anew, or that took over from another and may not
 * have all that the other had, may draw ids again: then everything is forgotten. Safe for use by several threads.
 */
public final class LowWatermark {
    /** What asking may cost while only hints depend on it: a tenth of the time, and at most so often. */
    private static final long LEAST_PAUSE = TimeUnit.MILLISECONDS.toNanos(10);

    private final Dialect dialect;
    private final int lockKey;
    private final boolean strictOrder;
    private long highestRead;
    private long finalUpTo;
    private long nextLook = System.nanoTime();
    private String server = "";

    /** The transactions that must end before the floor can rise to {@link #awaitedUpTo}; empty if none is awaited. */
    private Set<String> awaited = Set.of();

    private long awaitedUpTo;

    /** When the floor was last found to be where it is. */
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

    /** Up to which row id a read may go that begins after the floor was found to be here. */
    long end(long decidedUpTo) {
        return strictOrder ? decidedUpTo : Long.MAX_VALUE;
    }

    /** Notes that a message with this row id was read. */
    synchronized void read(long rowId) {
        highestRead = Math.max(highestRead, rowId);
    }

    /**
     * To be called before a checkout looks for anything: under strict order everybody looks every time. So what was
     * committed before is handed out at once if nobody writes; and if somebody does, only what was written after him,
     * or since the look before, has to wait for him.
     */
    void beforeCheckout(Connection connection) throws SQLException {
        if (strictOrder) {
            ask(connection, 0);
        }
    }

    /** Asks for the sake of hints, unless somebody has asked a moment ago. */
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

    /** Whether ids are drawn anew that were drawn before: the table was emptied with its sequence, say, or restored in place. */
    private boolean hasGoneBack(OpenTransactions writers, long started) {
        return strictOrder && started - decidedAt >= 0 && writers.drawn() < finalUpTo;
    }

    /** These were writing, at some time between two, after the row id had been read. */
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
        // Whoever looked before the awaited ones were found, in another thread, could not see all of them.
        if (started - awaitedSince >= 0 && Collections.disjoint(awaited, open)) {
            finalUpTo = Math.max(finalUpTo, awaited.isEmpty() ? 0 : awaitedUpTo);
            decidedAt = ended;
            awaited = open;
            awaitedUpTo = upTo;
            awaitedSince = ended;
        }
    }
}
