package dev.outbox.store.jooq.fault;

import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** Waits for conditions, looking less and less often. */
final class Await {
    private static final long SECONDS = 90;

    private Await() {}

    static void until(String what, Callable<Boolean> condition) throws Exception {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(SECONDS);
        long pause = TimeUnit.MILLISECONDS.toNanos(10);
        while (!condition.call()) {
            if (System.nanoTime() - deadline > 0) {
                throw new AssertionError("Not within " + SECONDS + " s: " + what);
            }
            LockSupport.parkNanos(pause);
            pause = Math.min(TimeUnit.SECONDS.toNanos(1), pause + pause / 4);
        }
    }
}
