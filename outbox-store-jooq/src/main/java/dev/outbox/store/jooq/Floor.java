package dev.outbox.store.jooq;

import java.sql.Connection;
import java.sql.SQLException;
import java.util.Collections;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * Up to which row id no message can appear any more. An id is given at insert and seen at commit, so what was settled says
 * nothing about lower ids of transactions that are still open. Below the floor there are none.
 *
 * <p>Why: a transaction locks the table before it draws its first id and until its outcome is visible. Let an id have been
 * read by us; then every transaction with a lower id that is still open is among those that have the table locked now. Once
 * all of these have ended, every id up to the one that was read is decided, and a later read sees what was committed.
 *
 * <p>Never goes down. Safe for use by several threads.
 */
final class Floor {
    /** What asking may cost: a tenth of the time, and at most so often. */
    private static final long LEAST_PAUSE = TimeUnit.MILLISECONDS.toNanos(10);

    private final Dialect dialect;
    private long highestRead;
    private long finalUpTo;
    private long nextLook = System.nanoTime();

    /** The transactions that must end before the floor can rise to {@link #awaitedUpTo}; empty if none is awaited. */
    private Set<String> awaited = Set.of();

    private long awaitedUpTo;

    Floor(Dialect dialect) {
        this.dialect = dialect;
    }

    /** The row id below and at which everything is decided; 0 if nothing is known. */
    synchronized long get() {
        return finalUpTo;
    }

    /** Notes that a message with this row id was read. */
    synchronized void read(long rowId) {
        highestRead = Math.max(highestRead, rowId);
    }

    /** Asks the database which transactions are writing, unless it was asked a moment ago. */
    void look(Connection connection) throws SQLException {
        long started = System.nanoTime();
        long upTo;
        synchronized (this) {
            if (started - nextLook < 0) {
                return;
            }
            nextLook = started + TimeUnit.SECONDS.toNanos(1); // one asks, the others go on
            upTo = highestRead;
        }
        Set<String> writers = dialect.writers(connection);
        long ended = System.nanoTime();
        synchronized (this) {
            nextLook = ended + Math.max(LEAST_PAUSE, 10 * (ended - started));
            if (writers != null) {
                saw(upTo, writers);
            }
        }
    }

    /** These were writing after the row id had been read. */
    synchronized void saw(long upTo, Set<String> writers) {
        if (Collections.disjoint(awaited, writers)) {
            finalUpTo = Math.max(finalUpTo, awaitedUpTo);
            awaited = Set.copyOf(writers);
            awaitedUpTo = upTo;
            if (writers.isEmpty()) {
                finalUpTo = Math.max(finalUpTo, upTo);
            }
        }
    }
}
