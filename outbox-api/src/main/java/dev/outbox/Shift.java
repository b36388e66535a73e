package dev.outbox;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One thread's time of working for a relay, and how it ends: by the relay being closed, or by an interrupt.
 *
 * <p>A publisher may be interrupted, the store must not be: an interrupt in the middle of file access closes an embedded
 * database. So an interrupt is passed on only while the thread is {@linkplain #enter in a publisher}, and is taken off the
 * thread when it leaves.
 */
final class Shift {
    private final WakeSignal signal;
    private final boolean ownThread;
    private final CountDownLatch ended = new CountDownLatch(1);

    // Guarded by this.
    private @Nullable Thread publishing;
    private @Nullable Thread worker;

    private volatile boolean interrupted;

    Shift(WakeSignal signal, boolean ownThread) {
        this.signal = signal;
        this.ownThread = ownThread;
        if (!ownThread) {
            worker = Thread.currentThread();
            takeInterrupt();
        }
    }

    synchronized void runOn(Thread thread) {
        worker = thread;
        thread.start();
    }

    /** No message may be started any more. */
    boolean isOver() {
        return interrupted || signal.isClosed();
    }

    /** The publishers have been interrupted; what they were doing has an unknown outcome. */
    boolean isInterrupted() {
        return interrupted;
    }

    synchronized void enter() {
        publishing = Thread.currentThread();
        if (interrupted) {
            publishing.interrupt();
        }
    }

    synchronized void exit() {
        publishing = null;
        takeInterrupt();
    }

    /** An interrupt from outside ends the shift on a thread that is the caller's; on our own it is the publisher's litter. */
    private void takeInterrupt() {
        if (Thread.interrupted() && !ownThread) {
            interrupted = true;
        }
    }

    /** The same for an interrupt that arrived as an exception, which takes it off the thread. */
    void caught(Throwable failure) {
        if (failure instanceof InterruptedException && !ownThread) {
            interrupted = true;
        }
    }

    /** Interrupts the publisher, if one is running, and all that will be. */
    synchronized void interrupt() {
        interrupted = true;
        if (publishing != null) {
            publishing.interrupt();
        }
    }

    void pause(Duration pause, boolean mayBeCut) {
        try {
            signal.await(pause, mayBeCut);
        } catch (InterruptedException e) {
            caught(e);
        }
    }

    /** On the working thread, when it has closed its batch. */
    void end() {
        if (!ownThread && interrupted) {
            Thread.currentThread().interrupt();
        }
        ended.countDown();
    }

    /** Waits for all to end, except one on the calling thread, which cannot end while it waits; says whether they did. */
    static boolean awaitAll(List<Shift> shifts, Duration timeout) throws InterruptedException {
        long deadline = System.nanoTime() + timeout.toNanos();
        for (Shift shift : shifts) {
            if (!shift.isMine() && !shift.ended.await(deadline - System.nanoTime(), TimeUnit.NANOSECONDS)) {
                return false;
            }
        }
        return true;
    }

    @SuppressWarnings("ReferenceEquality") // threads have no other equality
    private synchronized boolean isMine() {
        return worker == Thread.currentThread();
    }
}
