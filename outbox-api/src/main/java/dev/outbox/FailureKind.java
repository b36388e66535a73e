package dev.outbox;

/** What a failure of a publisher, or of a codec that decodes, means for its message. */
public enum FailureKind {
    /** An attempt is counted, and the topic's {@link RetryPolicy} says what happens next. */
    TRANSIENT,

    /** The message will never succeed: it becomes a dead letter now, whatever attempts it has left. */
    PERMANENT,

    /**
     * The broker, or something else that every message of the topic needs, is away. This is also what it means if this
     * process had no connection of a pool, no thread or no file descriptor to spare. No attempt is counted. The relay
     * leaves the whole topic alone for about a second, then tries one message, and waits longer each time that fails,
     * up to a minute.
     */
    UNAVAILABLE
}
