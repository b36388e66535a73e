package dev.outbox;

import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A message on its way to the broker, with what is known about it.
 *
 * @param message the decoded message
 * @param id the same on every delivery of this message, and never that of another, in this outbox or any; consumers
 *     recognise duplicates by it
 * @param topic name of the topic
 * @param partition the partition it is ordered in
 * @param key the key it was published with, if any
 * @param headers as published; unmodifiable
 * @param payload the bytes it was decoded from, for publishers that pass them on; not to be changed
 * @param attempt 1 at the first try, one more after every counted failure; a try that ended in a crash is not counted
 * @param createdAt when it was persisted, by the store's clock
 * @param <T> type of the message
 */
@SuppressWarnings("ArrayRecordComponent") // copying payloads would cost every message; identity equality is fine
public record Delivery<T>(
        T message,
        String id,
        String topic,
        int partition,
        @Nullable String key,
        Map<String, String> headers,
        byte[] payload,
        int attempt,
        Instant createdAt) {}
