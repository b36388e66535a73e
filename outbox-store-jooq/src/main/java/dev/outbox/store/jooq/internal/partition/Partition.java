package dev.outbox.store.jooq.internal.partition;

/**
 * A partition of a topic.
 *
 * @param id that of its row in outbox_partition; 0 if it has none yet
 */
public record Partition(int id, String topic, int number) {}
