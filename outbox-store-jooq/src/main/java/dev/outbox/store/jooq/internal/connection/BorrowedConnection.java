package dev.outbox.store.jooq.internal.connection;

import dev.outbox.store.jooq.internal.dialect.Dialect;
import dev.outbox.store.jooq.internal.dialect.LastAnswer;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;

/** A borrowed connection. Used by one thread at a time. */
public final class BorrowedConnection implements AutoCloseable {
    /** Something to ask a server. */
    private interface Question {
        void ask(Connection connection) throws SQLException;
    }

    private final Connection connection;
    private final Connections pool;
    private final Dialect dialect;
    private final boolean dedicated;
    private final boolean autoCommit;
    private int before;
    private boolean begun;

    /** Whether there may be something to roll back; begun, it is false only after a commit that succeeded. */
    private boolean uncommitted;

    private boolean changes;
    private volatile boolean broken;

    /** Who has it ends the connection, or gives it back; not both at a time. */
    private final ReentrantLock ending = new ReentrantLock();

    /** Whether the connection was given back, and may have another borrower. */
    private boolean returned;

    /** Whether the connection had no limit on the silence of its server, and has one now. */
    private boolean limited;

    /**
     * A connection as the pool lent it.
     *
     * @param pool the pool that lent it
     * @param dedicated whether it is from a pool of our own, and set up by its dialect
     * @param autoCommit the mode that it came in, and is given back in
     */
    BorrowedConnection(
            Connection connection, Connections pool, Dialect dialect, boolean dedicated, boolean autoCommit) {
        this.connection = connection;
        this.pool = pool;
        this.dialect = dialect;
        this.dedicated = dedicated;
        this.autoCommit = autoCommit;
    }

    public Connection connection() {
        return connection;
    }

    /** Whether the connection is from a pool of our own, and set up by its dialect. */
    public boolean isDedicated() {
        return dedicated;
    }

    /**
     * Begins a READ COMMITTED transaction that takes partitions, and changes nothing before {@link #change}. If
     * anything is left to send for it, returns that, to be sent with the first statement; else "".
     */
    public String hold() throws SQLException {
        String begin = beginWithFirst();
        changes = false;
        return begin;
    }

    /**
     * Whatever is asked of a server that is unreachable must not wait forever: a worker that looks for messages, an
     * operation, a close. After this time the server has ended the session. Connections of our own have such a limit
     * already.
     */
    void limitSilence() {
        try {
            if (!dedicated && connection.getNetworkTimeout() == 0) {
                connection.setNetworkTimeout(Runnable::run, Math.toIntExact(LastAnswer.silence.toMillis()));
                limited = true;
            }
        } catch (SQLException | RuntimeException | LinkageError e) {
            // not every driver can; one of before JDBC 4.1 does not have the call
        }
    }

    /** The transaction is about to change something. */
    public void change() {
        changes = true;
    }

    /** Begins a READ COMMITTED transaction, and fails where nothing can be written. */
    public void begin() throws SQLException {
        String begin = beginWithFirst() + dialect.requireWritable();
        if (!begin.isEmpty()) {
            try (Statement statement = connection.createStatement()) {
                statement.execute(begin);
            }
        }
    }

    private String beginWithFirst() throws SQLException {
        begun = true;
        changes = true;
        uncommitted = true;
        if (dedicated) {
            return dialect.beginDedicated(connection);
        }
        before = dialect.beginTransaction(connection);
        return "";
    }

    /** Takes back what the transaction did, if there is one, and returns to auto-commit. */
    public void rollback() throws SQLException {
        if (begun) {
            begun = false;
            boolean restored = false;
            try {
                undo();
                if (!dedicated) {
                    dialect.endTransaction(connection, before);
                }
                if (!connection.getAutoCommit()) {
                    connection.setAutoCommit(true);
                }
                restored = true;
            } finally {
                if (!restored) {
                    broken = true; // nobody is to get it in a transaction, or set up as ours
                }
            }
        }
    }

    /** Commits; after that there is nothing to roll back, and asking the server to do so would cost a round trip. */
    public void commit() throws SQLException {
        dialect.commit(connection);
        committed();
    }

    /** The transaction has been committed, by a statement. */
    public void committed() {
        uncommitted = false;
    }

    private void undo() throws SQLException {
        if (!changes && dialect.endsHoldsByCommit()) {
            commit();
        } else {
            dialect.rollback(connection);
        }
    }

    /** Whether the connection was closed, as far as is known here, for example by a pool that wants it back. */
    public boolean isClosed() {
        try {
            return connection.isClosed();
        } catch (SQLException | RuntimeException e) {
            return true;
        }
    }

    /** Fails if the server does not answer in time, or answers in another session than before. */
    public void requireAlive(Duration patience) throws SQLException {
        within(patience, dialect::requireSession);
    }

    /** Fails if the server does not answer in time. */
    public void requireAnswer(Duration patience) throws SQLException {
        within(patience, asked -> {
            try (Statement statement = asked.createStatement()) {
                statement.execute("SELECT 1");
            }
        });
    }

    private void within(Duration patience, Question question) throws SQLException {
        Integer before = null;
        try {
            int usual = connection.getNetworkTimeout();
            connection.setNetworkTimeout(Runnable::run, Math.toIntExact(patience.toMillis()));
            before = usual;
        } catch (SQLException | RuntimeException e) {
            // not every driver can; then what is set for the connection has to do
        }
        question.ask(connection);
        if (before != null) {
            connection.setNetworkTimeout(Runnable::run, before);
        }
    }

    /** As {@link #close}. If the server does not answer in time, ends the connection without it. */
    public void closeWithin(Duration patience) {
        try {
            within(patience, asked -> rollback());
            close();
        } catch (SQLException | RuntimeException | Error e) { // memory, or a driver that is too old for a call
            drop();
        }
    }

    /**
     * Ends the connection that another thread is using. That thread must still close the lease. Does not wait,
     * because MariaDB's driver opens another connection for it, and its server may be unreachable. If that thread
     * comes first, it ends the connection, or has given it back in good order.
     */
    public void abortForOthers() {
        markBroken();
        Thread aborting = new Thread(this::abortUnlessReturned, "outbox-abort");
        aborting.setDaemon(true);
        aborting.start();
    }

    private void abortUnlessReturned() {
        ending.lock();
        try {
            if (!returned) {
                abort();
            }
        } finally {
            ending.unlock();
        }
    }

    private void abort() {
        try {
            connection.abort(Runnable::run);
        } catch (SQLException | RuntimeException e) {
            // gone already
        }
    }

    /** Ends the connection without a word to the server, which may not be there. */
    public void drop() {
        abort();
        begun = false;
        markBroken();
        close();
    }

    /** Nobody is to use the connection again: it is gone, or leads to where nothing can be written. */
    public void markBroken() {
        broken = true;
    }

    /**
     * Rolls back what is open and gives the connection back as it was. If that is not possible, ends it, and with it
     * the transaction and its locks. One that is broken is not asked for anything: it may take an earlier answer for
     * its own. Never throws: there is nothing left to lose.
     */
    @Override
    public void close() {
        boolean restored = !broken && restore();
        ending.lock();
        try {
            giveBack(restored);
        } finally {
            if (!returned) {
                returned = true;
                pool.returned();
            }
            ending.unlock();
        }
    }

    private boolean restore() {
        try {
            if (begun && uncommitted) {
                undo();
            }
            if (begun && !dedicated) {
                dialect.endTransaction(connection, before);
            }
            if (connection.getAutoCommit() != autoCommit) {
                connection.setAutoCommit(autoCommit);
            }
            if (limited) {
                connection.setNetworkTimeout(Runnable::run, 0);
            }
            return true;
        } catch (SQLException | RuntimeException | Error e) {
            return false; // so it is ended
        }
    }

    private void giveBack(boolean restored) {
        try {
            if (broken || !restored) {
                end();
            }
        } catch (SQLException | RuntimeException | Error e) {
            // gone already
        }
        try {
            connection.close();
        } catch (SQLException | RuntimeException e) {
            // the pool has to do with what it finds
        }
    }

    /** So that nobody gets it again: a pool of the application may not look before it lends it. */
    private void end() throws SQLException {
        if (!pool.evict(connection)) {
            connection.abort(Runnable::run);
        }
    }
}
