package dev.outbox.processes;

import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** Waits for conditions, and never for longer than it says. It looks less and less often. */
public final class Await {
    /** How long a slow and busy machine may take for what a quiet one does in a second. */
    public static final Duration PATIENCE = Duration.ofMinutes(3);

    private static final long FIRST_PAUSE = TimeUnit.MILLISECONDS.toNanos(5);
    private static final long LONGEST_PAUSE = TimeUnit.SECONDS.toNanos(1);

    private Await() {}

    /** Waits for up to {@link #PATIENCE}. */
    public static void until(String what, Callable<Boolean> condition) throws Exception {
        until(what, PATIENCE, condition);
    }

    /** Waits until a condition holds, and fails if it does not in time. */
    public static void until(String what, Duration most, Callable<Boolean> condition) throws Exception {
        if (!within(most, condition)) {
            throw new AssertionError("Not within " + most.toSeconds() + " s: " + what);
        }
    }

    /** Waits until a condition holds, and returns whether it does. */
    public static boolean within(Duration most, Callable<Boolean> condition) throws Exception {
        long end = System.nanoTime() + most.toNanos();
        long pause = FIRST_PAUSE;
        while (!condition.call()) {
            if (System.nanoTime() - end > 0) {
                return false;
            }
            LockSupport.parkNanos(pause);
            pause = Math.min(LONGEST_PAUSE, pause + pause / 4);
        }
        return true;
    }

    /**
     * Waits until something cannot be opened for a reason of this type, and returns that. What is opened nevertheless
     * is closed.
     */
    public static <X extends Exception> X refusal(Class<X> reason, Callable<? extends AutoCloseable> opening)
            throws Exception {
        AtomicReference<@Nullable X> refusal = new AtomicReference<>();
        until("refused", () -> {
            try {
                opening.call().close();
            } catch (Exception e) {
                if (!reason.isInstance(e)) {
                    throw e;
                }
                refusal.set(reason.cast(e));
            }
            return refusal.get() != null;
        });
        return Objects.requireNonNull(refusal.get());
    }

    /** Lets a time pass that nothing can be waited for to tell: how long a fault lasts, or how long a writer rests. */
    public static void passed(Duration time) throws InterruptedException {
        Thread.sleep(time.toMillis());
    }
}
