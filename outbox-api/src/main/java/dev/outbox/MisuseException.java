package dev.outbox;

import org.jspecify.annotations.Nullable;

/**
 * The caller broke the rules of a method: a mark after close, a handle outside a transaction, a topic registered twice.
 */
public final class MisuseException extends OutboxException {
    private static final long serialVersionUID = 1L;

    /** Says what happened and what to do about it. */
    public MisuseException(String message) {
        super(message, null);
    }

    /** Says what happened and what to do about it, with the cause if there is one. */
    public MisuseException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
