package dev.outbox.store.redis;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * A point in time to count a lease from. Two clocks, because each stands still, or is set back, when the other does not: the
 * monotonic one while a machine is suspended, the other when somebody sets it. The longer time counts: to think too early that
 * a lease has run out only costs a pause.
 */
record Moment(long nanos, long millis) {
    static Moment now() {
        return new Moment(System.nanoTime(), System.currentTimeMillis());
    }

    boolean isWithin(Duration lease) {
        long since =
                Math.max(System.nanoTime() - nanos, TimeUnit.MILLISECONDS.toNanos(System.currentTimeMillis() - millis));
        return since < lease.toNanos();
    }
}
