package dev.outbox.tck.internal.record;

import org.jspecify.annotations.Nullable;

/** A test cannot tell whether its rule is kept: its surroundings failed, and perhaps not the store. */
public class Inconclusive extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public Inconclusive(String why) {
        super(why);
    }

    public Inconclusive(String why, Throwable cause) {
        super(why + ": " + cause, cause);
    }

    /** Why a test that ended with this failure cannot tell; null if it can. */
    public static @Nullable String reason(Throwable failure) {
        Throwable cause = failure;
        for (int depth = 0; cause != null && depth < 20; depth++) {
            if (cause instanceof Inconclusive) {
                return cause.getMessage();
            }
            cause = cause.getCause();
        }
        return null;
    }
}
