package dev.outbox.spring.boot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import dev.outbox.Codecs;
import dev.outbox.Topic;
import dev.outbox.processes.Await;
import dev.outbox.spring.OutboxPublisher;
import org.junit.jupiter.api.Test;
import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.transaction.support.TransactionTemplate;

/** Publishers are injected by the type of their messages, and by the name of the topic's bean if that is not enough. */
class InjectionTest {
    @Test
    void aPublisherIsForTheTypeOfItsMessages() throws Exception {
        try (ConfigurableApplicationContext application = Applications.run(SeveralTopics.class)) {
            Injected injected = application.getBean(Injected.class);
            assertEquals("OutboxPublisher[orders]", injected.orders.toString());
            assertEquals("OutboxPublisher[shipped]", injected.shipped.toString());
            assertEquals("OutboxPublisher[cancelled]", injected.cancelled.toString());
            application.getBean(TransactionTemplate.class).executeWithoutResult(status -> {
                assertNotNull(injected.orders.publish(new OrderPlaced("SO-1")));
                injected.cancelled.publish("SO-2");
            });
            Broker broker = application.getBean(Broker.class);
            Await.until("both are published", () -> broker.sent.size() == 2);
        }
    }

    @Test
    void theMapperOfTheApplicationIsUsed() throws Exception {
        try (ConfigurableApplicationContext application =
                Applications.run(Applications.Shop.class, "spring.jackson.property-naming-strategy=SNAKE_CASE")) {
            application.getBean(Applications.PlaceOrder.class).place("SO-1", false);
            Broker broker = application.getBean(Broker.class);
            Await.until("the order is published", () -> !broker.sent.isEmpty());
            assertEquals("{\"order_number\":\"SO-1\"}", broker.sent.get(0));
        }
    }

    record Injected(
            OutboxPublisher<OrderPlaced> orders, OutboxPublisher<String> shipped, OutboxPublisher<String> cancelled) {}

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class SeveralTopics {
        @Bean
        Broker broker() {
            return new Broker();
        }

        @Bean
        Topic<OrderPlaced> orders(OutboxJson json, Broker broker) {
            return Topic.builder("orders", json.codec(OrderPlaced.class))
                    .publisher(broker::send)
                    .build();
        }

        @Bean
        Topic<String> shipped(Broker broker) {
            return Topic.builder("shipped", Codecs.text())
                    .publisher(broker::send)
                    .build();
        }

        @Bean
        Topic<String> cancelled(Broker broker) {
            return Topic.builder("cancelled", Codecs.text())
                    .publisher(broker::send)
                    .build();
        }

        @Bean
        Injected injected(
                OutboxPublisher<OrderPlaced> orders,
                @Qualifier("shipped") OutboxPublisher<String> shipped,
                @Qualifier("cancelled") OutboxPublisher<String> cancelled) {
            return new Injected(orders, shipped, cancelled);
        }
    }
}
