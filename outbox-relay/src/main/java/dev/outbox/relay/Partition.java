package dev.outbox.relay;

/** The topic and number of a partition. */
record Partition(String topic, int number) {}
