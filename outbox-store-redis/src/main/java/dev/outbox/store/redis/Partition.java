package dev.outbox.store.redis;

/** A partition of a topic. */
record Partition(String topic, int number) {
    /** How it is called in keys and in the index: no topic has a {@code #} in its name. */
    String member() {
        return topic + "#" + number;
    }

    static Partition of(String member) {
        int end = member.lastIndexOf('#');
        return new Partition(member.substring(0, end), Integer.parseInt(member.substring(end + 1)));
    }
}
