package dev.outbox;

/**
 * Turns messages of a topic into bytes and back. Ready ones are in {@link Codecs}. Safe for use by several
 * threads.
 *
 * @param <T> type of the messages
 */
public interface Codec<T> {
    /** The bytes of a message; a fresh array that nobody else changes. What it throws rejects the message. */
    byte[] encode(T message) throws Exception;

    /**
     * The message of the bytes, which it does not change. What it throws is a failed attempt, for which the topic's
     * retry policy stands, since a newer relay, or one that reaches its registry of schemas, may read what this one
     * cannot. With {@link PermanentFailureException} a codec says that no relay will ever read these bytes:
     * then the message is a dead letter now. With {@link BrokerUnavailableException} it says that what every
     * message needs is away. None of the codecs that come with outbox throws either.
     */
    T decode(byte[] payload) throws Exception;
}
