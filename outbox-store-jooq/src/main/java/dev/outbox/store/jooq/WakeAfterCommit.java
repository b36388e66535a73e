package dev.outbox.store.jooq;

import dev.outbox.internal.Log;
import org.jooq.TransactionContext;
import org.jooq.TransactionListener;

/**
 * Runs something after each commit of a transaction that is in no other. jOOQ derives the configuration of a nested
 * transaction from that of the one around it, data included, so what the outermost notes there tells it from those
 * within.
 *
 * <p>jOOQ says that a commit has ended also if it failed, and then rolls back. A failed commit may have taken effect,
 * if only its answer was lost, so the relay looks for messages then, too. If there are none, that cost one poll.
 */
final class WakeAfterCommit implements TransactionListener {
    private static final Log LOG = Log.of(WakeAfterCommit.class).sparing();

    private final Object outermost = new Object();
    private final Runnable wakeUp;

    WakeAfterCommit(Runnable wakeUp) {
        this.wakeUp = wakeUp;
    }

    @Override
    public void beginStart(TransactionContext tx) {
        if (tx.configuration().data(outermost) == null) {
            tx.configuration().data(outermost, tx);
        }
    }

    /** Whatever goes wrong here must not look to the application as if its commit had failed. */
    @Override
    public void commitEnd(TransactionContext tx) {
        if (tx.configuration().data(outermost) == tx) {
            try {
                wakeUp.run();
            } catch (RuntimeException | Error e) {
                LOG.warn("[OUTBOX-211] Waking up after a commit failed; messages wait for the next poll", e);
            }
        }
    }
}
