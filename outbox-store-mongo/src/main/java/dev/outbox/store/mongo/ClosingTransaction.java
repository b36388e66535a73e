package dev.outbox.store.mongo;

import com.mongodb.MongoException;
import com.mongodb.client.ClientSession;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * The transaction that closes a batch, begun again where that may help and for as long as there is patience, where the
 * driver has a fixed two minutes; and once more after that, as after a long sleep, because then the fence tells. Used
 * once, by one thread.
 */
final class ClosingTransaction {
    private static final long LONGEST_PAUSE = TimeUnit.MILLISECONDS.toNanos(100);

    private final ClientSession session;
    private final Primary primary;
    private long end;
    private boolean committing;

    ClosingTransaction(ClientSession session, Primary primary) {
        this.session = session;
        this.primary = primary;
    }

    void run(Runnable statements, Duration patience) {
        end = System.nanoTime() + patience.toNanos();
        boolean last = false;
        for (long pause = TimeUnit.MILLISECONDS.toNanos(2); ; pause = Math.min(2 * pause, LONGEST_PAUSE)) {
            try {
                committing = false;
                session.startTransaction(BatchCloser.TRANSACTION);
                statements.run();
                committing = true;
                commit();
                return;
            } catch (MongoException e) {
                abort();
                boolean again = e.hasErrorLabel(MongoException.TRANSIENT_TRANSACTION_ERROR_LABEL)
                        // by a takeover: then the fence tells
                        || (!committing && (e.getCode() == StoreErrors.INTERRUPTED || StoreErrors.isOutOfCache(e)));
                if (!again || last) {
                    throw e;
                }
                last = !primary.await(left());
                if (last && !primary.isKnown()) {
                    throw e;
                }
                // At random, so that two that met do not meet again.
                LockSupport.parkNanos(ThreadLocalRandom.current().nextLong(pause));
            } catch (RuntimeException | Error e) {
                abort();
                throw e;
            }
        }
    }

    /** The driver asks once more by itself. A caller that asks again is told what became of it. */
    private void commit() {
        while (true) {
            try {
                session.commitTransaction();
                return;
            } catch (MongoException e) {
                boolean unknown = e.hasErrorLabel(MongoException.UNKNOWN_TRANSACTION_COMMIT_RESULT_LABEL)
                        || e.getCode() == StoreErrors.INTERRUPTED;
                if (!unknown || e.getCode() == StoreErrors.MAX_TIME_EXPIRED || !primary.await(left())) {
                    throw e;
                }
            }
        }
    }

    private Duration left() {
        return Duration.ofNanos(end - System.nanoTime());
    }

    /** What a server that is away keeps of it, it ends by itself, or another relay does. */
    private void abort() {
        if (session.hasActiveTransaction()) {
            try {
                session.abortTransaction();
            } catch (MongoException | IllegalStateException e) {
                // then it is aborted already
            }
        }
    }

    /** Whether a commit was asked for. */
    boolean isCommitting() {
        return committing;
    }

    /** Whether this failure leaves open what became of a commit. */
    boolean isUnknown(MongoException e) {
        return committing && !e.hasErrorLabel(MongoException.TRANSIENT_TRANSACTION_ERROR_LABEL);
    }
}
