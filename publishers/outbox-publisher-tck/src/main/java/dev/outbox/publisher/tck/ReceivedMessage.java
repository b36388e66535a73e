package dev.outbox.publisher.tck;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A message as a consumer of the broker sees it.
 *
 * @param unit the order unit that it came in: a partition, a queue, a message group; any text that names it
 * @param key the key, or null if it has none; where the broker has no keys, the key that the publisher puts into a
 *     header
 * @param headers those of the message, and any others that the publisher or the broker added
 * @param payload the bytes
 * @param id what a consumer recognises duplicates by
 */
@SuppressWarnings("ArrayRecordComponent") // compared by their content where it matters
public record ReceivedMessage(
        String unit, @Nullable String key, Map<String, String> headers, byte[] payload, String id) {}
