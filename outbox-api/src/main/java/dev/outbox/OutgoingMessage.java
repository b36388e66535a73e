package dev.outbox;

import dev.outbox.internal.TopicNames;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A message on its way into the outbox. The constructor refuses what stores could not keep faithfully, so that every
 * backend accepts and refuses the same.
 *
 * @param id what the message is called wherever it goes: a UUID in its usual form, 36 characters with letters in lower
 *     case. Stores keep it, and consumers recognise duplicates by it
 * @param topic name of the topic: 1 to {@value #MAX_TOPIC_LENGTH} of the characters {@code A-Z a-z 0-9 . _ - / :}
 * @param partition the partition of the topic, 0 or more
 * @param key what the partition was chosen by, at most {@value #MAX_KEY_LENGTH} characters, or null; no NUL and no lone
 *     surrogates
 * @param headers names and values, at most {@value #MAX_HEADERS_LENGTH} characters together; no NUL and no lone
 *     surrogates; copied
 * @param payload the bytes, at most {@value #MAX_PAYLOAD_BYTES}; not copied, so the caller must not change it
 *     afterwards
 */
@SuppressWarnings("ArrayRecordComponent") // copying payloads would cost every message; identity equality is fine
public record OutgoingMessage(
        String id, String topic, int partition, @Nullable String key, Map<String, String> headers, byte[] payload) {
    /** The longest topic name, in characters. */
    public static final int MAX_TOPIC_LENGTH = TopicNames.MAX_LENGTH;

    /** The longest key, in characters. */
    public static final int MAX_KEY_LENGTH = 1_000;

    /** The most that all header names and values may have together, in characters. */
    public static final int MAX_HEADERS_LENGTH = 32_000;

    /** The largest payload in bytes, 16 MiB; a backend with a lower limit says so. */
    public static final int MAX_PAYLOAD_BYTES = 16 * 1024 * 1024;

    /**
     * Checks and copies.
     *
     * @throws MessageRejectedException if a part is not as described
     */
    public OutgoingMessage {
        MessageIds.checked(id);
        MessageRules.checkTopic(topic);
        MessageRules.checkPartition(partition);
        MessageRules.checkKey(key);
        headers = MessageRules.checkedHeaders(headers);
        MessageRules.checkPayload(payload);
    }

    /**
     * The same with an id that is drawn here: a UUID of version 7, which begins with the time and is random otherwise,
     * so that it never comes again, in this outbox or another.
     *
     * @throws MessageRejectedException if a part is not as described
     */
    public OutgoingMessage(
            String topic, int partition, @Nullable String key, Map<String, String> headers, byte[] payload) {
        this(MessageIds.draw(), topic, partition, key, headers, payload);
    }
}
