package dev.outbox.micrometer;

import io.micrometer.core.instrument.Tags;
import org.jspecify.annotations.Nullable;

/** Which tags tell the numbers of an outbox apart. More detail means more time series. */
public enum MeterDetail {
    /** One number for the whole outbox. */
    OUTBOX,
    /** The tag {@code topic}: as many numbers as there are topics. */
    TOPIC,
    /**
     * The tags {@code topic} and {@code partition} on what waits and what fails, the tag {@code topic} on the rest. A
     * topic may have 10,000 partitions.
     */
    PARTITION;

    /** Of a meter that knows a topic. */
    Tags of(String topic) {
        return this == OUTBOX ? Tags.empty() : Tags.of("topic", topic);
    }

    Row row(String topic, int partition) {
        return this == PARTITION ? new Row(topic, partition) : row(topic);
    }

    Row row(String topic) {
        return this == OUTBOX ? Row.ALL : new Row(topic, null);
    }

    /** What a gauge is about: null for what is not told apart. */
    record Row(@Nullable String topic, @Nullable Integer partition) {
        static final Row ALL = new Row(null, null);

        Tags tags() {
            Tags tags = topic == null ? Tags.empty() : Tags.of("topic", topic);
            return partition == null ? tags : tags.and("partition", partition.toString());
        }
    }
}
