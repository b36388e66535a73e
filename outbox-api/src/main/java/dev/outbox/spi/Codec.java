package dev.outbox.spi;

/**
 * Turns messages of a topic into bytes and back. Ready ones are in {@link dev.outbox.Codecs}. Safe for use by several
 * threads.
 *
 * @param <T> type of the messages
 */
public interface Codec<T> {
    /** The bytes of a message; a fresh array that nobody else changes. What it throws rejects the message. */
    byte[] encode(T message) throws Exception;

    /**
     * The message of the bytes, which it does not change. What it throws is a failed attempt, for which the topic's retry policy
     * stands; only {@link UndecodableException} sends the message to the dead letters at once.
     */
    T decode(byte[] payload) throws Exception;
}
