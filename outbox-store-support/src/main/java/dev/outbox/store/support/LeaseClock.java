package dev.outbox.store.support;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/**
 * A point in time to count a lease from. Two clocks, because each stands still, or is set back, when the other does
 * not: the monotonic one while a machine is suspended, the other when it is set. The longer time counts: to
 * think too early that a lease is over costs a pause, to think so too late costs exclusivity.
 *
 * @param nanos by {@link System#nanoTime}
 * @param millis by {@link System#currentTimeMillis}
 */
public record LeaseClock(long nanos, long millis) {
    /** This moment. */
    public static LeaseClock now() {
        return new LeaseClock(System.nanoTime(), System.currentTimeMillis());
    }

    /** How long ago it was. */
    public Duration age() {
        return ageAt(now());
    }

    /** How long before another moment it was. */
    public Duration ageAt(LeaseClock now) {
        return Duration.ofNanos(Math.max(now.nanos - nanos, TimeUnit.MILLISECONDS.toNanos(now.millis - millis)));
    }

    /** Whether less than this time has passed. */
    public boolean isWithin(Duration time) {
        return age().compareTo(time) < 0;
    }

    /** Whether it was read later than another one, by the monotonic clock. */
    public boolean isAfter(LeaseClock other) {
        return nanos - other.nanos > 0;
    }
}
