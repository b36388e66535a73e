package dev.outbox.spi;

import org.jspecify.annotations.Nullable;

/**
 * Thrown by a {@link Codec} that knows that no relay, of whatever version and whenever, will ever read these bytes. The message
 * becomes a dead letter at once. Whatever else a codec throws follows the retry policy of the topic, since a newer relay, or one
 * that reaches its registry of schemas, may read what this one cannot. None of the codecs that come with outbox throws it.
 */
public final class UndecodableException extends Exception {
    private static final long serialVersionUID = 1L;

    /** With what is wrong with the bytes. */
    public UndecodableException(String message) {
        super(message);
    }

    /** With what is wrong with the bytes, and how that was found. */
    public UndecodableException(String message, @Nullable Throwable cause) {
        super(message, cause);
    }
}
