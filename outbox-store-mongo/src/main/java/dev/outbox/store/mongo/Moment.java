package dev.outbox.store.mongo;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * A point in time to count a lease from. Two clocks, because each stands still, or is set back, when the other does not: the
 * monotonic one while a machine is suspended, the other when somebody sets it. The longer time counts: to think too early that
 * a lease is over costs a pause, to think so too late costs exclusivity.
 */
record Moment(long nanos, long millis) {
    static Moment now() {
        return new Moment(System.nanoTime(), System.currentTimeMillis());
    }

    /** How long ago it was. */
    Duration age() {
        return ageAt(now());
    }

    Duration ageAt(Moment now) {
        return Duration.ofNanos(Math.max(now.nanos - nanos, TimeUnit.MILLISECONDS.toNanos(now.millis - millis)));
    }

    boolean isAfter(Moment other) {
        return nanos - other.nanos > 0;
    }
}
