package dev.outbox.examples.quickstart;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.outbox.Outbox;
import dev.outbox.PersistFunc;
import dev.outbox.Receipt;
import dev.outbox.Store;
import dev.outbox.Topic;
import dev.outbox.relay.Relay;
import dev.outbox.store.memory.MemoryOutbox;
import dev.outbox.store.memory.MemoryTransaction;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ReadmeServiceTest {
    record Order(String number, String customer) {}

    /** What is tested: it publishes in the transaction that it is given. */
    record OrderService(Topic<Order> orders) {
        void place(Order order, PersistFunc transaction) throws Exception {
            Outbox.bind(orders, transaction).publish(order);
        }
    }

    @Test
    void anOrderThatWasPlacedIsPublished() throws Exception {
        List<Order> published = new ArrayList<>();
        Topic<Order> orders = Topic.builder("orders", Order.class)
                .publisher(delivery -> {
                    published.add(delivery.message());
                    return Receipt.of(delivery.id());
                })
                .build();
        MemoryOutbox outbox = new MemoryOutbox();
        Order order = new Order("SO-1", "C-1");
        try (MemoryTransaction tx = outbox.begin()) {
            new OrderService(orders).place(order, MemoryOutbox.persist(tx));
            tx.commit();
        }
        try (Store store = outbox.store();
                Relay relay = Relay.builder(store).topic(orders).build()) {
            relay.processMessages(10);
        }
        assertEquals(List.of(order), published);
    }
}
