package dev.outbox.store.redis;

import org.jspecify.annotations.Nullable;

/** A partition of a topic. */
record Partition(String topic, int number) {
    /** How it is called in keys and in the index: no topic has a {@code #} in its name. */
    String member() {
        return topic + "#" + number;
    }

    /** Null if no partition is called so: others may have written to the index. */
    static @Nullable Partition parse(String member) {
        int end = member.lastIndexOf('#');
        try {
            Partition partition = end < 0
                    ? null
                    : new Partition(member.substring(0, end), Integer.parseInt(member.substring(end + 1)));
            return partition != null
                            && partition.number >= 0
                            && partition.member().equals(member)
                    ? partition
                    : null;
        } catch (NumberFormatException e) {
            return null;
        }
    }
}
