package dev.outbox.tck.internal.explore;

import dev.outbox.PersistedMessage;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What the model knows of an open batch.
 *
 * @param asker the client and the topics that it asked for
 * @param messages by the objects that the store handed out
 * @param partitions with the messages of each, in the order of the batch
 * @param marks outcomes that were given
 */
record ModelBatch(
        String asker,
        Map<PersistedMessage, ModelMessage> messages,
        Map<ModelPartition, List<ModelMessage>> partitions,
        Map<ModelMessage, Mark> marks) {
    /** What became of a message. */
    enum Outcome {
        PUBLISHED,
        FAILED,
        BURIED
    }

    record Mark(Outcome outcome, String reason, long delayMillis) {}

    static ModelBatch of(
            String asker,
            Map<PersistedMessage, ModelMessage> messages,
            Map<ModelPartition, List<ModelMessage>> partitions) {
        return new ModelBatch(asker, messages, partitions, new LinkedHashMap<>());
    }

    /** Only itself: others may have the same messages. */
    @Override
    public boolean equals(Object other) {
        return this == other;
    }

    @Override
    public int hashCode() {
        return System.identityHashCode(this);
    }
}
