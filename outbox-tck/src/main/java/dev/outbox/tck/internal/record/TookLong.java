package dev.outbox.tck.internal.record;

import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** A call failed that took so long that its lease may have been over: its backend or its machine was too busy. */
public final class TookLong extends Inconclusive {
    private static final long serialVersionUID = 1L;

    /** A call may take this part of its lease, and a lease is renewed well before it ends. */
    private static final int PART_OF_LEASE = 2;

    private TookLong(String what, Throwable cause) {
        super(what, cause);
    }

    /**
     * What to throw instead of a failure.
     *
     * @param began when the call began, by {@link System#nanoTime}
     * @return null if the call was quick enough, or if there is no lease
     */
    public static @Nullable TookLong of(String what, long began, @Nullable Duration lease, Throwable failure) {
        Duration took = Duration.ofNanos(System.nanoTime() - began);
        if (lease == null || took.compareTo(lease.dividedBy(PART_OF_LEASE)) < 0) {
            return null;
        }
        return new TookLong(
                what + " took " + took.toMillis() + " ms of a lease of " + lease.toMillis() + " ms, and failed",
                failure);
    }

    /** One that caused this failure, or null. */
    public static @Nullable TookLong causeOf(Throwable failure) {
        Throwable cause = failure;
        for (int depth = 0; cause != null && depth < 20; depth++) {
            if (cause instanceof TookLong took) {
                return took;
            }
            cause = cause.getCause();
        }
        return null;
    }
}
