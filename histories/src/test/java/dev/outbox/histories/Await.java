package dev.outbox.histories;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** Waits for conditions, and never for longer than it says. */
final class Await {
    private Await() {}

    static void until(String what, Duration most, Callable<Boolean> condition) throws Exception {
        if (!within(most, condition)) {
            throw new AssertionError("Not within " + most.toSeconds() + " s: " + what);
        }
    }

    static boolean within(Duration most, Callable<Boolean> condition) throws Exception {
        long end = System.nanoTime() + most.toNanos();
        while (!condition.call()) {
            if (System.nanoTime() - end > 0) {
                return false;
            }
            LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(20));
        }
        return true;
    }

    /** How long something lasts, which nothing can be waited for to tell: a fault, a pause of a writer. */
    static void passed(Duration time) throws InterruptedException {
        Thread.sleep(time.toMillis());
    }
}
