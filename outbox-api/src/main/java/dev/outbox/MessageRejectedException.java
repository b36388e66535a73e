package dev.outbox;

import org.jspecify.annotations.Nullable;

/**
 * The message cannot be accepted as it is: it could not be encoded, is too large, or contains text that no store keeps
 * faithfully. Trying again does not help. Nothing was written.
 */
public final class MessageRejectedException extends OutboxException {
    private static final long serialVersionUID = 1L;

    /** Says what happened and what to do about it. */
    public MessageRejectedException(String message) {
        super(message, null);
    }

    /** Says what happened and what to do about it, with the cause if there is one. */
    public MessageRejectedException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
