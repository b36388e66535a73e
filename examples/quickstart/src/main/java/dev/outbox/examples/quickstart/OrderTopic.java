package dev.outbox.examples.quickstart;

import dev.outbox.BrokerPublisher;
import dev.outbox.Receipt;
import dev.outbox.Topic;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** The topic as its two sides see it. They run in different processes and agree on name, type and key alone. */
final class OrderTopic {
    private static final int PARTITIONS = 8;

    /** What a broker near by takes to answer. */
    private static final long BROKER_NANOS = TimeUnit.MICROSECONDS.toNanos(500);

    private OrderTopic() {}

    /** For the shop, which only ever publishes through the outbox and needs no broker. */
    static Topic<Order> forWriting(String name) {
        return topic(name).build();
    }

    /** For the relay, with the file that stands in for the broker. */
    static Topic<Order> forRelay(String name, DeliveryLog broker) {
        BrokerPublisher<Order> publisher = delivery -> {
            LockSupport.parkNanos(BROKER_NANOS);
            Order order = delivery.message();
            broker.append(new Delivered(delivery.id(), order.customer(), order.number()));
            return Receipt.taken();
        };
        return topic(name).publisher(publisher).build();
    }

    private static Topic.Builder<Order> topic(String name) {
        return Topic.builder(name, Order.class).key(Order::customer).partitions(PARTITIONS);
    }
}
