package dev.outbox.relay;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * One thread's time of working for a relay, and how it ends: by the relay being closed, or by an interrupt.
 *
 * <p>Publishers and codecs may be interrupted, the store must not be: an interrupt in the middle of file access closes
 * an embedded database. So an interrupt is passed on only while the thread {@linkplain #enter works for the
 * application}, and is taken off the thread before the store is called. One that arrives during a call of the store
 * cannot be kept from it.
 */
final class WorkerRun {
    /** Longer than a checkout takes of a store that is well. */
    private static final long MOMENT_NANOS = 2_000_000_000;

    private static final long LOOK_NANOS = 20_000_000;

    private final WakeSignal signal;
    private final Kind kind;
    private final CountDownLatch ended = new CountDownLatch(1);

    /** What helpers do for this run in foreign code. Guarded by this. */
    private final Map<Thread, Call> helping = new HashMap<>();

    // Guarded by this.
    private @Nullable Thread publishing;
    private @Nullable Route<?> route;
    private long calledAt;
    private @Nullable Thread worker;

    /** By the relay, which has waited long enough. */
    private volatile boolean abandoned;

    /** Whether it is over, or its publisher hangs and another run does what this one was to do. */
    private final AtomicBoolean uncounted = new AtomicBoolean();

    /** The topic that {@link HangingBatches} counts it for. Set before {@link #stopCounting}. */
    volatile @Nullable Route<?> waitsFor;

    /** Whether it has messages that were checked out and not settled or released yet. */
    private volatile boolean batchInHand;

    /** From outside, on a thread that is the caller's. */
    private volatile boolean interrupted;

    /**
     * A call of a publisher that has not come back.
     *
     * @param since when it began, by {@link System#nanoTime}
     */
    record Call(Route<?> route, long since) {
        boolean hangs(long now) {
            return now - since >= route.topic.publishTimeout().toNanos();
        }
    }

    /** Whose thread it is. */
    enum Kind {
        /** One that the relay has started, for as long as it runs. */
        WORKER,
        /** One that the relay has started for a single round. */
        PROBE,
        /** One that called the relay. */
        CALLER
    }

    WorkerRun(WakeSignal signal, Kind kind) {
        this.signal = signal;
        this.kind = kind;
        if (kind == Kind.CALLER) {
            worker = Thread.currentThread();
            takeInterrupt();
        }
    }

    synchronized void runOn(Thread thread) {
        worker = thread;
        thread.start();
    }

    /** Whether no more messages may be started. On the working thread. */
    boolean isOver() {
        takeInterrupt();
        return interrupted || abandoned || signal.isClosed();
    }

    /** Publishers have been interrupted; what they were doing has an unknown outcome. */
    boolean isInterrupted() {
        return interrupted || abandoned;
    }

    void hasBatch(boolean inHand) {
        batchInHand = inHand;
    }

    boolean hasBatch() {
        return batchInHand;
    }

    /** Whether a publisher or codec has not come back to it. */
    synchronized boolean isInPublisher() {
        return route != null || !helping.isEmpty();
    }

    boolean hasEnded() {
        return ended.getCount() == 0;
    }

    boolean isWorker() {
        return kind == Kind.WORKER;
    }

    boolean isProbe() {
        return kind == Kind.PROBE;
    }

    /** Whether the relay does without it, because its publisher hangs. */
    boolean isGivenUp() {
        return uncounted.get();
    }

    /** By the run itself at its end, or by the relay that does without it; true for one of the two. */
    boolean stopCounting() {
        return uncounted.compareAndSet(false, true);
    }

    /** The calls of publishers that have not come back within the time limit of their topic. */
    synchronized List<Call> hanging() {
        List<Call> calls = new ArrayList<>(helping.values());
        Route<?> called = route;
        if (called != null) {
            calls.add(new Call(called, calledAt));
        }
        long now = System.nanoTime();
        calls.removeIf(each -> !each.hangs(now));
        return calls;
    }

    /**
     * To publish a message that was started at that moment by {@link System#nanoTime}; null only to wait. Needs no
     * memory, because nobody would take back what it had begun.
     */
    synchronized void enter(@Nullable Route<?> called, long since) {
        publishing = Thread.currentThread();
        route = called;
        calledAt = since;
        if (isInterrupted()) {
            publishing.interrupt();
        }
    }

    synchronized void exit() {
        publishing = null;
        route = null;
        takeInterrupt();
    }

    /** The same on a thread that helps the worker's. What is left on it of interrupts is nobody's. */
    synchronized void enterAsHelper(Route<?> called, long since) {
        helping.put(Thread.currentThread(), new Call(called, since));
        if (isInterrupted()) {
            Thread.currentThread().interrupt();
        }
    }

    synchronized void exitAsHelper() {
        helping.remove(Thread.currentThread());
        Thread.interrupted();
    }

    /**
     * Takes an interrupt off the thread. From outside it ends the run; the relay's own has ended it already; and on our
     * own threads any other was left by a publisher.
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
        if (kind == Kind.CALLER && !abandoned) {
            interrupted = true;
            interruptHelpers();
        }
    }

    private synchronized void interruptHelpers() {
        helping.keySet().forEach(Thread::interrupt);
    }

    /** Interrupts what runs for the application now, if anything, and all that will. */
    synchronized void abandon() {
        abandoned = true;
        interruptHelpers();
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

    /**
     * Waits for all to end and says whether they did. After a moment a run without a batch is no longer waited for: the
     * store does not answer it, and whatever the answer is, the run starts no message.
     */
    static boolean awaitAll(List<WorkerRun> runs, Duration timeout) throws InterruptedException {
        long began = System.nanoTime();
        for (WorkerRun run : runs) {
            while (!run.ended.await(LOOK_NANOS, TimeUnit.NANOSECONDS)) {
                long waited = System.nanoTime() - began;
                if (!run.batchInHand && waited >= MOMENT_NANOS) {
                    break;
                }
                if (waited >= timeout.toNanos()) {
                    return false;
                }
            }
        }
        return true;
    }

    /** Whether this thread works for the run, so that it must not wait for its end. */
    @SuppressWarnings("ReferenceEquality") // threads have no other equality
    synchronized boolean isMine() {
        return worker == Thread.currentThread() || helping.containsKey(Thread.currentThread());
    }
}
