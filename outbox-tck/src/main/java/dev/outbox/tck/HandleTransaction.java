package dev.outbox.tck;

import dev.outbox.PersistFunc;

/** A transaction on a handle, of which it knows whether it is still open. */
@SuppressWarnings("try") // what the handle throws at close may be an InterruptedException
final class HandleTransaction implements WriteTransaction {
    private final PersistFunc persistFunc;
    private final Rows rows;
    private final Step commit;
    private final Step rollback;
    private final Step close;
    private boolean ended;
    private boolean closed;

    HandleTransaction(PersistFunc persistFunc, Rows rows, Step commit, Step rollback, Step close) {
        this.persistFunc = persistFunc;
        this.rows = rows;
        this.commit = commit;
        this.rollback = rollback;
        this.close = close;
    }

    @Override
    public PersistFunc persistFunc() {
        return persistFunc;
    }

    @Override
    public Rows rows() {
        return rows;
    }

    @Override
    public void commit() throws Exception {
        commit.run();
        ended = true;
    }

    @Override
    public void rollback() throws Exception {
        rollback.run();
        ended = true;
    }

    @Override
    public void close() throws Exception {
        if (closed) {
            return;
        }
        closed = true;
        try {
            if (!ended) {
                rollback.run();
            }
        } finally {
            close.run();
        }
    }
}
