package dev.outbox.internal;

import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Walks the causes of what others threw. That is foreign code, which may fail, and chains may lead back to their start.
 */
public final class Causes {
    /** More than any driver wraps. */
    private static final int DEEPEST = 50;

    private Causes() {}

    /** Whether a failure or one of its causes is so. */
    public static boolean any(@Nullable Throwable failure, Predicate<Throwable> is) {
        Throwable cause = failure;
        for (int depth = 0; cause != null && depth < DEEPEST; depth++) {
            if (is.test(cause)) {
                return true;
            }
            cause = of(cause);
        }
        return false;
    }

    /** What failed, without the wrappers that futures put around it. */
    public static Throwable unwrapped(Throwable failure) {
        Throwable unwrapped = failure;
        for (int depth = 0; depth < DEEPEST; depth++) {
            Throwable cause = unwrapped instanceof CompletionException || unwrapped instanceof ExecutionException
                    ? of(unwrapped)
                    : null;
            if (cause == null) {
                return unwrapped;
            }
            unwrapped = cause;
        }
        return unwrapped;
    }

    /** The cause, or null also if it cannot be told. */
    public static @Nullable Throwable of(Throwable failure) {
        try {
            return failure.getCause();
        } catch (Throwable e) {
            return null;
        }
    }
}
