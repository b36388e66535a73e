package dev.outbox;

import org.jspecify.annotations.Nullable;

/**
 * Thrown by a publisher, or by a codec that decodes, that knows that the message will never succeed: it is too large,
 * say, or its bytes are damaged. The message becomes a dead letter now, whatever attempts it has left, and its
 * partition goes on.
 *
 * <p>It is the wrong answer to what another version of the application, or another day, may manage.
 *
 * @see FailureKind#PERMANENT
 */
public final class PermanentFailureException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** With the reason that the dead letter will have. */
    public PermanentFailureException(String message) {
        super(message);
    }

    /** With the reason that the dead letter will have, and how that was found. */
    public PermanentFailureException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
