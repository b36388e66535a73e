package dev.outbox.internal;

import java.time.Duration;
import java.util.function.Function;

/** Spans of time that arithmetic in nanoseconds can take. */
public final class Durations {
    private static final Duration LONGEST = Duration.ofDays(365);

    private Durations() {}

    /** The value, if it is at least the least one and at most 365 days. */
    public static Duration checked(
            String what, Duration least, Duration value, Function<String, ? extends RuntimeException> error) {
        if (value.compareTo(least) < 0 || value.compareTo(LONGEST) > 0) {
            throw error.apply(what + " is " + value + "; expected at least " + least + " and at most 365 days.");
        }
        return value;
    }
}
