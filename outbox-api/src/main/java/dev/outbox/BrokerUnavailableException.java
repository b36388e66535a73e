package dev.outbox;

import org.jspecify.annotations.Nullable;

/**
 * Thrown by a publisher whose broker is away, or by a codec whose registry is. No attempt of the message is counted,
 * and the relay leaves the whole topic alone for a while: the log, {@link OutboxListener#leftOut} and the
 * state of the relay say so, once.
 *
 * <p>It is the wrong answer to what only one message or one partition suffers from: that would stop all others of the
 * topic.
 *
 * @see FailureKind#UNAVAILABLE
 */
public final class BrokerUnavailableException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** With what is away, as an operator knows it. */
    public BrokerUnavailableException(String message) {
        super(message);
    }

    /** With what is away, as an operator knows it, and how that was found. */
    public BrokerUnavailableException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
