package dev.outbox.store.mongo;

/** A partition of a topic. */
record Lane(String topic, int partition) implements Comparable<Lane> {
    /** The {@code _id} of its document: no other has the same, because the partition is what follows the last slash. */
    String id() {
        return topic + "/" + partition;
    }

    @Override
    public int compareTo(Lane other) {
        int topics = topic.compareTo(other.topic);
        return topics != 0 ? topics : Integer.compare(partition, other.partition);
    }

    @Override
    public String toString() {
        return id();
    }
}
