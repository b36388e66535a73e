package dev.outbox;

import org.jspecify.annotations.Nullable;

/**
 * The broker did not take a message that was published to it directly, by {@link Topic#direct}. The relay does not
 * throw this: there, a message that fails is tried again.
 */
public final class PublishException extends OutboxException {
    private static final long serialVersionUID = 1L;

    /** Says what happened and what to do about it. */
    public PublishException(String message) {
        super(message, null);
    }

    /** Says what happened and what to do about it, with the cause if there is one. */
    public PublishException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
