package dev.outbox;

import java.time.Instant;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A message that waits in a store. Made by stores.
 *
 * @param id that of the {@link OutgoingMessage}, as {@link PersistFunc#persist} returned it
 * @param topic name of the topic
 * @param partition the partition of the topic, 0 or more
 * @param key the key it was persisted with, if any
 * @param headers as persisted; unmodifiable
 * @param payload the bytes as persisted; not to be changed
 * @param attempts how often publishing it has failed so far, 0 or more
 * @param createdAt when it was persisted, by the store's clock
 */
@SuppressWarnings("ArrayRecordComponent") // copying payloads would cost every message; identity equality is fine
public record PersistedMessage(
        String id,
        String topic,
        int partition,
        @Nullable String key,
        Map<String, String> headers,
        byte[] payload,
        int attempts,
        Instant createdAt) {}
