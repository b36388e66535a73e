package dev.outbox.examples.quickstart;

import dev.outbox.Outbox;
import dev.outbox.Relay;
import dev.outbox.Store;
import dev.outbox.Stores;
import dev.outbox.Topic;
import dev.outbox.store.jooq.JooqOutbox;
import java.util.concurrent.CountDownLatch;
import javax.sql.DataSource;
import org.jooq.DSLContext;

/** The code that README.md shows, between the markers; {@link ReadmeTest} runs it and compares. */
final class ReadmeExample {
    private ReadmeExample() {}

    record Order(String number, String customer) {}

    /** Takes a message and says what it calls it. */
    interface Broker {
        String send(String id, Order order);
    }

    static void run(
            String url, DataSource dataSource, DSLContext dsl, Broker broker, Order order, CountDownLatch shutdown)
            throws InterruptedException {
        // README starts
        Topic<Order> orders = Topic.builder("orders", Order.class)
                .key(Order::customer) // orders of one customer stay in order
                .partitions(8) // up to eight are published at a time
                .publisher(delivery -> broker.send(delivery.id(), delivery.message()))
                .build();

        // Once: make the outbox's tables, here or by putting JooqOutbox.ddl(dialect) into your migrations.
        JooqOutbox.createSchema(dataSource);

        // The application: the row and the message commit together, or not at all.
        dsl.transaction(tx -> {
            tx.dsl().execute("insert into orders values (?, ?)", order.number(), order.customer());
            Outbox.bind(orders, JooqOutbox.persist(tx)).publish(order);
        });

        // The relay: in this process, or in any number of others.
        try (Store store = Stores.open(url);
                Relay relay = Relay.builder(store).topic(orders).workers(4).build()) {
            relay.start();
            shutdown.await();
        }
        // README ends
    }
}
