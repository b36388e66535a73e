package dev.outbox;

import org.jspecify.annotations.Nullable;

/**
 * The store failed: its server is away, a connection broke, a commit was not answered. Trying again later is
 * reasonable, and the relay does so.
 */
public final class StoreException extends OutboxException {
    private static final long serialVersionUID = 1L;

    /** Says what happened and what to do about it. */
    public StoreException(String message) {
        super(message, null);
    }

    /** Says what happened and what to do about it, with the cause if there is one. */
    public StoreException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
