package dev.outbox.sqs;

import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A message as SQS gets it.
 *
 * @param order names what is kept in order
 * @param group the message group, or null if the message has none
 * @param deduplicationId by which a FIFO queue recognises it, or null on a standard queue
 * @param size in bytes, as SQS counts them: the body, and names, types and values of attributes
 */
record Outgoing(
        String id,
        String order,
        @Nullable String group,
        @Nullable String deduplicationId,
        String body,
        Map<String, String> attributes,
        long size) {}
