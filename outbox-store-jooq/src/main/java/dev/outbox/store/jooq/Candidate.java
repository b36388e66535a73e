package dev.outbox.store.jooq;

/**
 * A partition that may have messages.
 *
 * @param id of its row in outbox_partition; 0 if it has none yet
 */
record Candidate(int id, String topic, int partition) {}
