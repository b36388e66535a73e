package dev.outbox.store.mongo;

import org.bson.BsonString;
import org.bson.BsonValue;
import org.jspecify.annotations.Nullable;

/** A partition of a topic. */
record Partition(String topic, int partition) implements Comparable<Partition> {
    /** The {@code _id} of its document: no other has the same, because the partition is what follows the last slash. */
    String id() {
        return topic + "/" + partition;
    }

    /** Whose {@code _id} this is, as far as it is one. */
    static Partition of(@Nullable BsonValue id) {
        String text = id instanceof BsonString string ? string.getValue() : String.valueOf(id);
        int slash = text.lastIndexOf('/');
        try {
            return new Partition(text.substring(0, Math.max(0, slash)), Integer.parseInt(text.substring(slash + 1)));
        } catch (NumberFormatException e) {
            return new Partition(text, -1);
        }
    }

    @Override
    public int compareTo(Partition other) {
        int topics = topic.compareTo(other.topic);
        return topics != 0 ? topics : Integer.compare(partition, other.partition);
    }

    @Override
    public String toString() {
        return id();
    }
}
