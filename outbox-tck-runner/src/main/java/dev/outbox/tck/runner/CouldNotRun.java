package dev.outbox.tck.runner;

import org.jspecify.annotations.Nullable;

/** Nothing can be said about the store; the message says why, and what to do. */
final class CouldNotRun extends Exception {
    private static final long serialVersionUID = 1L;

    CouldNotRun(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
