package dev.outbox.examples.quickstart;

import dev.outbox.Outbox;
import dev.outbox.Receipt;
import dev.outbox.Store;
import dev.outbox.Stores;
import dev.outbox.Topic;
import dev.outbox.relay.Relay;
import dev.outbox.store.jooq.JooqOutbox;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.h2.jdbcx.JdbcDataSource;
import org.jooq.DSLContext;
import org.jooq.SQLDialect;
import org.jooq.impl.DSL;

public class ReadmeExample {
    record Order(String number, String customer) {}

    /** Your broker's client: send returns at once, and its answer says whether the broker has the message. */
    interface Broker {
        Future<String> send(String id, Order order);
    }

    public static void main(String[] args) throws Exception {
        String url = "jdbc:h2:mem:shop;DB_CLOSE_DELAY=-1"; // or jdbc:postgresql:…, jdbc:mysql:…, jdbc:mariadb:…
        JdbcDataSource dataSource = new JdbcDataSource();
        dataSource.setUrl(url);
        DSLContext dsl = DSL.using(dataSource, SQLDialect.H2);
        CountDownLatch sent = new CountDownLatch(1);
        Broker broker = (id, order) -> {
            System.out.println("sent " + order);
            sent.countDown();
            return CompletableFuture.completedFuture(id);
        };

        Topic<Order> orders = Topic.builder("orders", Order.class)
                .key(Order::customer) // orders of one customer stay in order
                .partitions(8) // spread by their keys; partitions do not wait for each other
                // get waits until the broker has it: only then is there a receipt for it.
                .publisher(delivery -> Receipt.of(
                        broker.send(delivery.id(), delivery.message()).get(30, TimeUnit.SECONDS)))
                .build();

        // Once: make the outbox's tables, here or by putting JooqOutbox.ddl(dialect) into your migrations.
        JooqOutbox.createSchema(dataSource);
        dsl.execute("create table orders (number varchar(20), customer varchar(20))");

        // The application: the row and the message commit together, or not at all.
        Order order = new Order("SO-1", "C-1");
        dsl.transaction(tx -> {
            tx.dsl().execute("insert into orders values (?, ?)", order.number(), order.customer());
            Outbox.bind(orders, JooqOutbox.persist(tx)).publish(order);
        });

        // The relay: in this process, or in any number of others.
        try (Store store = Stores.open(url);
                Relay relay = Relay.builder(store).topic(orders).workers(4).build()) {
            relay.start();
            sent.await();
        }
    }
}
