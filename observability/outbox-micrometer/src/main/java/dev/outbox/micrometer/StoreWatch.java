package dev.outbox.micrometer;

import dev.outbox.Operations;
import dev.outbox.internal.Log;
import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Asks a store again and again on a thread of its own, so that no scrape waits for a store. Keeps the last answer
 * while it is young enough. Safe for use by several threads.
 */
final class StoreWatch {
    private static final Log LOG = Log.of("dev.outbox.micrometer");
    private static final Duration LAST_CHANCE = Duration.ofSeconds(2);

    /**
     * An answer of the store, or that it gave none.
     *
     * @param snapshot null if the store failed
     * @param asked when it was asked, by {@link System#nanoTime}
     */
    private record Answer(@Nullable Snapshot snapshot, long asked) {}

    private final Operations operations;
    private final MeterDetail detail;
    private final Duration refresh;
    private final Duration maxAge;
    private final Consumer<Snapshot> told;
    private final Runnable failed;
    private final ScheduledExecutorService thread;

    private volatile @Nullable Answer last;
    private volatile long lastGood = System.nanoTime();
    private boolean failing; // of the thread

    /**
     * Does not start yet.
     *
     * @param told of each good answer, on the watch's thread; it must not throw
     * @param failed run when the store has failed, on the watch's thread
     */
    StoreWatch(
            Operations operations,
            MeterDetail detail,
            Duration refresh,
            Duration maxAge,
            Consumer<Snapshot> told,
            Runnable failed) {
        this.operations = operations;
        this.detail = detail;
        this.refresh = refresh;
        this.maxAge = maxAge;
        this.told = told;
        this.failed = failed;
        this.thread = Executors.newSingleThreadScheduledExecutor(work -> {
            Thread made = new Thread(work, "outbox-metrics");
            made.setDaemon(true);
            return made;
        });
    }

    @SuppressWarnings("FutureReturnValueIgnored") // it is told what fails
    void start() {
        lastGood = System.nanoTime();
        thread.scheduleWithFixedDelay(this::ask, 0, refresh.toNanos(), TimeUnit.NANOSECONDS);
    }

    /** The last answer; null if the store failed, or has not answered for too long. */
    @Nullable
    Snapshot current() {
        Answer answer = last;
        return answer == null || System.nanoTime() - answer.asked() > maxAge.toNanos() ? null : answer.snapshot();
    }

    /** How long ago the store was asked for its last good answer; before the first, how long the watch runs. */
    double goodAgeSeconds() {
        return (System.nanoTime() - lastGood) / 1e9;
    }

    private void ask() {
        long asked = System.nanoTime();
        Snapshot snapshot;
        try {
            snapshot = Snapshot.of(operations, detail);
            last = new Answer(snapshot, asked);
            lastGood = asked;
        } catch (Throwable e) {
            last = new Answer(null, asked);
            noteFailure(e);
            return;
        }
        told.accept(snapshot);
        noteSuccess();
    }

    /** What a logger throws here would end the questions. */
    private void noteSuccess() {
        try {
            if (failing) {
                failing = false;
                LOG.info("[OUTBOX-602] A question for metrics has succeeded again");
            }
        } catch (Throwable e) {
            // The gauges have values, which is what there is to say.
        }
    }

    /** Whatever is thrown here would end the questions. */
    private void noteFailure(Throwable failure) {
        try {
            if (!failing) {
                failing = true;
                LOG.warn(
                        "[OUTBOX-601] A question for metrics failed; the gauges have no value until one succeeds",
                        failure);
            }
            failed.run();
        } catch (Throwable e) {
            // The gauges have no value, which is what there is to say.
        }
    }

    /**
     * Ends the thread, and waits up to 2 seconds for it. It is not interrupted: an interrupt in the middle of file
     * access closes an embedded database. A thread that waits for the store still ends when the store answers.
     */
    void close() {
        thread.shutdown();
        try {
            if (!thread.awaitTermination(LAST_CHANCE.toNanos(), TimeUnit.NANOSECONDS)) {
                LOG.warn(
                        "[OUTBOX-603] The store has not answered a question for metrics; its thread ends when it does");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
