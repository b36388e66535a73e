package dev.outbox.relay;

import java.time.Duration;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Cuts pauses short. A raise is never lost: it ends the pause of one worker, or if none pauses, the next pause of any.
 * So after every raise at least one checkout begins, which is all a wake-up promises.
 */
final class WakeSignal {
    private final Time time;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private boolean raised;
    private volatile boolean closed;

    WakeSignal(Time time) {
        this.time = time;
    }

    void raise() {
        lock.lock();
        try {
            raised = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Ends all pauses, present and future. */
    void close() {
        lock.lock();
        try {
            closed = true;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    boolean isClosed() {
        return closed;
    }

    /** Pauses for so long, or until closed, or, if it may be cut short, raised. */
    void await(Duration pause, boolean mayBeCut) throws InterruptedException {
        long left = time.real(pause);
        lock.lockInterruptibly();
        try {
            while (!closed && !(mayBeCut && raised) && left > 0) {
                left = changed.awaitNanos(left);
            }
            if (mayBeCut) {
                raised = false;
            }
        } finally {
            lock.unlock();
        }
    }
}
