package com.example.outbox;

/** A partition of a topic, within which messages have an order. */
record Partition(String topic, int number) {}
