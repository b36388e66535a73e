package dev.outbox;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * One thread's time of working for a relay, and how it ends: by the relay being closed, or by an interrupt.
 *
 * <p>Publishers and codecs may be interrupted, the store must not be: an interrupt in the middle of file access closes an
 * embedded database. So an interrupt is passed on only while the thread {@linkplain #enter works for the application}, and
 * is taken off the thread before the store is called. One that arrives during a call of the store cannot be kept from it.
 */
final class Shift {
    private final WakeSignal signal;
    private final boolean ownThread;
    private final CountDownLatch ended = new CountDownLatch(1);

    // Guarded by this.
    private @Nullable Thread publishing;
    private @Nullable Thread worker;

    /** By the relay, which has waited long enough. */
    private volatile boolean abandoned;

    /** From outside, on a thread that is the caller's. */
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

    /** No message may be started any more. On the working thread. */
    boolean isOver() {
        takeInterrupt();
        return interrupted || abandoned || signal.isClosed();
    }

    /** Publishers have been interrupted; what they were doing has an unknown outcome. */
    boolean isInterrupted() {
        return interrupted || abandoned;
    }

    /** Whether it is that of a worker the relay has started. */
    boolean isOwnThread() {
        return ownThread;
    }

    synchronized void enter() {
        publishing = Thread.currentThread();
        if (isInterrupted()) {
            publishing.interrupt();
        }
    }

    synchronized void exit() {
        publishing = null;
        takeInterrupt();
    }

    /**
     * Takes an interrupt off the thread. From outside it ends the shift; the relay's own has ended it already; and on our
     * own threads any other is what a publisher left behind.
     */
    void takeInterrupt() {
        if (Thread.interrupted()) {
            noteInterrupt();
        }
    }

    /** The same for an interrupt that arrived as an exception, which takes it off the thread. */
    void caught(Throwable failure) {
        if (failure instanceof InterruptedException) {
            noteInterrupt();
        }
    }

    private void noteInterrupt() {
        if (!ownThread && !abandoned) {
            interrupted = true;
        }
    }

    /** Interrupts what runs for the application now, if anything, and all that will. */
    synchronized void abandon() {
        abandoned = true;
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
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        ended.countDown();
    }

    /** Waits for all to end and says whether they did. */
    static boolean awaitAll(List<Shift> shifts, Duration timeout) throws InterruptedException {
        long deadline = System.nanoTime() + timeout.toNanos();
        for (Shift shift : shifts) {
            if (!shift.ended.await(deadline - System.nanoTime(), TimeUnit.NANOSECONDS)) {
                return false;
            }
        }
        return true;
    }

    /** Whether this is the thread that works. */
    @SuppressWarnings("ReferenceEquality") // threads have no other equality
    synchronized boolean isMine() {
        return worker == Thread.currentThread();
    }
}
