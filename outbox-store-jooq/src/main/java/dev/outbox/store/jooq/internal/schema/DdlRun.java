package dev.outbox.store.jooq.internal.schema;

import dev.outbox.StoreException;
import dev.outbox.internal.Log;
import dev.outbox.store.jooq.internal.dialect.Dialect;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Makes what is missing of the tables, and does nothing else.
 *
 * <p>DDL waits for every transaction that uses its table, an open batch among them, and later statements wait
 * for the DDL: a slow publisher would stop the application. So each statement waits for a second at most, gives way,
 * and tries again, for as long as its patience lasts. Each is a transaction of its own and is looked at before, so it
 * does not matter where a process dies, or who else is doing the same: what another has made meanwhile is no longer
 * missing.
 */
public final class DdlRun {
    /** How long it is tried altogether. */
    public static final Duration PATIENCE = Duration.ofMinutes(1);

    private static final Log LOG = Log.of(DdlRun.class);

    /** For failures other than a wait for a lock. Another process may make the same now, or the failure is lasting. */
    private static final int ATTEMPTS = 5;

    private static final int SHOWN = 3;

    private final Connection connection;
    private final Dialect dialect;
    private final long patience;
    private final long start = System.nanoTime();
    private boolean said;

    /**
     * A run that has not begun yet.
     *
     * @param connection in auto-commit mode, which it is in afterwards
     */
    public DdlRun(Connection connection, Dialect dialect, Duration patience) {
        this.connection = connection;
        this.dialect = dialect;
        this.patience = patience.toNanos();
    }

    public void run() throws SQLException {
        run(DdlStep.all(dialect));
    }

    void run(List<DdlStep> steps) throws SQLException {
        for (DdlStep step : steps) {
            make(step);
        }
    }

    private void make(DdlStep step) throws SQLException {
        for (int attempt = 1; ; attempt++) {
            try {
                synchronized (dialect.schemaMonitor()) {
                    if (step.isMissing(connection, dialect)) {
                        execute(step);
                    }
                }
                return;
            } catch (SQLException e) {
                if (StoreErrors.isLost(connection, e)) {
                    throw e;
                }
                if (dialect.isLockTimeout(e)) {
                    giveWay(step, e);
                } else if (attempt >= ATTEMPTS && step.isMissing(connection, dialect)) {
                    throw e;
                } else {
                    pause(e);
                }
            }
        }
    }

    private void execute(DdlStep step) throws SQLException {
        afterwards(() -> executeInTransaction(step), () -> connection.setAutoCommit(true));
    }

    private void executeInTransaction(DdlStep step) throws SQLException {
        try (Statement statement = connection.createStatement()) {
            connection.setAutoCommit(false);
            String before = dialect.limitLocks(statement);
            afterwards(
                    () -> {
                        dialect.lockSchema(connection);
                        statement.execute(dialect.sql(step.sql()));
                        connection.commit();
                    },
                    () -> restore(statement, before));
        }
    }

    @FunctionalInterface
    private interface Action {
        void run() throws SQLException;
    }

    /** On a connection that was lost the second fails, too, which must not hide why the first did. */
    private static void afterwards(Action action, Action restoring) throws SQLException {
        try {
            action.run();
        } catch (SQLException | RuntimeException e) {
            try {
                restoring.run();
            } catch (SQLException | RuntimeException also) {
                e.addSuppressed(also);
            }
            throw e;
        }
        restoring.run();
    }

    private void restore(Statement statement, String before) throws SQLException {
        try {
            connection.rollback(); // nothing, once it is committed
        } finally {
            if (!before.isEmpty()) {
                statement.execute(before);
            }
        }
    }

    /** Lets those through who came later. */
    private void giveWay(DdlStep step, SQLException e) {
        boolean over = System.nanoTime() - start > patience;
        if (over || !said) {
            String text =
                    dialect.sql(step.sql().lines().findFirst().orElse("")) + " … has to wait for transactions that use "
                            + dialect.sql(step.table()) + ": " + holders(step) + ".";
            if (over) {
                throw new StoreException(
                        "The tables of the outbox are not complete, and were not changed any further: " + text
                                + " It was tried for "
                                + Duration.ofNanos(patience).toSeconds()
                                + " s, for a moment each time, because all who write messages wait meanwhile. Try again when"
                                + " those transactions have ended.",
                        e);
            }
            said = true;
            LOG.warn("[OUTBOX-207] {} It is tried again.", text);
        }
        pause(e);
    }

    private static void pause(SQLException e) {
        LockSupport.parkNanos(
                TimeUnit.MILLISECONDS.toNanos(ThreadLocalRandom.current().nextLong(200, 600)));
        if (Thread.currentThread().isInterrupted()) {
            throw new StoreException("The thread was interrupted while the tables of the outbox were being made.", e);
        }
    }

    /** Who is in the way, as far as the user may know. */
    private String holders(DdlStep step) {
        @Nullable String query = dialect.lockHolders(step.table());
        List<String> holders = new ArrayList<>();
        if (query != null) {
            try (Statement statement = connection.createStatement();
                    ResultSet rows = statement.executeQuery(dialect.sql(query))) {
                while (rows.next() && holders.size() < SHOWN) {
                    holders.add(rows.getString(1));
                }
            } catch (SQLException e) {
                // then it is not known
            }
        }
        return holders.isEmpty() ? "which ones, the database does not tell this user" : String.join("; ", holders);
    }
}
