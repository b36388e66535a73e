package dev.outbox.examples.quickstart;

import dev.outbox.Topic;

/** The topic as its two sides see it. They run in different processes and agree on name, type and key alone. */
final class OrderTopic {
    private static final int PARTITIONS = 8;

    private OrderTopic() {}

    /** For the shop, which only ever publishes through the outbox and needs no broker. */
    static Topic<Order> forWriting(String name) {
        return of(name).build();
    }

    /** For the relay, which gives it a publisher. */
    static Topic.Builder<Order> of(String name) {
        return Topic.builder(name, Order.class).key(Order::customer).partitions(PARTITIONS);
    }
}
