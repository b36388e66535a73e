package dev.outbox.store.jooq.internal.partition;

/**
 * A partition that may have messages.
 *
 * @param id of its row in outbox_partition; 0 if it has none yet
 */
public record Partition(int id, String topic, int partition) {}
