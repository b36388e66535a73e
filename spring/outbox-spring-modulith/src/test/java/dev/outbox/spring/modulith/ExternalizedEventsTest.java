package dev.outbox.spring.modulith;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.example.shop.Broker;
import com.example.shop.inventory.Inventory;
import com.example.shop.order.OrderCompleted;
import com.example.shop.order.OrderManagement;
import dev.outbox.ConfigurationException;
import dev.outbox.Delivery;
import dev.outbox.MessageRejectedException;
import dev.outbox.MisuseException;
import dev.outbox.Topic;
import dev.outbox.processes.Await;
import dev.outbox.relay.RelayState;
import dev.outbox.spring.OutboxRelay;
import dev.outbox.spring.boot.OutboxJson;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.event.EventListener;
import org.springframework.core.annotation.Order;
import org.springframework.messaging.support.MessageBuilder;
import org.springframework.modulith.events.EventExternalizationConfiguration;
import org.springframework.modulith.events.RoutingTarget;
import org.springframework.transaction.event.TransactionalEventListener;
import org.springframework.transaction.support.TransactionTemplate;

/** Events of an application of Spring Modulith, on PostgreSQL. */
class ExternalizedEventsTest {
    private static final String OUTBOX = "spring.modulith.events.externalization.mode=outbox";

    private static Shop shop;

    @BeforeAll
    static void open() throws Exception {
        shop = Shop.open(List.of(Further.class), OUTBOX);
    }

    @AfterAll
    static void close() throws Exception {
        shop.close();
    }

    @BeforeEach
    void clear() throws Exception {
        Await.until("nothing waits", () -> shop.waiting() == 0);
        shop.broker().sent().clear();
        shop.jdbc().execute("delete from completed");
    }

    @Test
    void anEventIsSentAfterItsTransactionWithItsKey() throws Exception {
        shop.bean(OrderManagement.class).complete("SO-1", "C-1");
        Delivery<?> sent = only();
        assertEquals("orders", sent.topic());
        assertEquals("C-1", sent.key());
        assertEquals(new OrderCompleted("SO-1", "C-1"), sent.message());
        assertEquals(
                List.of("{\"number\":\"SO-1\",\"customer\":\"C-1\"}"),
                shop.broker().payloads());
    }

    @Test
    void anEventOfATransactionThatRollsBackIsNotSent() throws Exception {
        assertThrows(
                IllegalStateException.class,
                () -> shop.bean(TransactionTemplate.class).executeWithoutResult(status -> {
                    shop.bean(OrderManagement.class).complete("SO-2", "C-1");
                    throw new IllegalStateException("payment declined");
                }));
        shop.bean(OrderManagement.class).complete("SO-3", "C-1");
        assertEquals(new OrderCompleted("SO-3", "C-1"), only().message());
        assertEquals(List.of("SO-3"), shop.completed());
    }

    @Test
    void eventsWithOneKeyAreSentInTheirOrder() throws Exception {
        List<String> numbers =
                IntStream.range(100, 140).mapToObj(i -> "SO-" + i).toList();
        for (String number : numbers) {
            shop.bean(OrderManagement.class).complete(number, "C-1");
        }
        Await.until("all are sent", () -> shop.broker().sent().size() == numbers.size());
        assertEquals(
                numbers,
                shop.broker().sent().stream()
                        .map(delivery -> ((OrderCompleted) delivery.message()).number())
                        .toList());
        assertEquals(
                1,
                shop.broker().sent().stream()
                        .map(Delivery::partition)
                        .distinct()
                        .count());
    }

    @Test
    void keysAreSpreadOverThePartitionsOfTheTopic() throws Exception {
        for (int i = 0; i < 20; i++) {
            shop.bean(OrderManagement.class).complete("SO-" + i, "C-" + i);
        }
        Await.until("all are sent", () -> shop.broker().sent().size() == 20);
        assertTrue(shop.broker().sent().stream()
                        .map(Delivery::partition)
                        .distinct()
                        .count()
                > 1);
        RelayState relay = shop.bean(OutboxRelay.class).state();
        assertTrue(relay != null && relay.misplaced().isEmpty(), "where a relay expects them: " + relay);
    }

    @Test
    void whatAListenerPublishesComesAfterTheEvent() throws Exception {
        shop.publish(new Placed("SO-1"));
        Await.until("both are sent", () -> shop.broker().sent().size() == 2);
        assertEquals(
                List.of("{\"number\":\"SO-1\"}", "{\"number\":\"SO-1, reserved\"}"),
                shop.broker().payloads());
    }

    @Test
    void theRegistryOfSpringModulithServesItsListeners() throws Exception {
        shop.bean(OrderManagement.class).complete("SO-5", "C-1");
        Await.until(
                "the other module has heard",
                () -> shop.bean(Inventory.class).updated().contains("SO-5"));
        only();
        List<String> listeners = shop.jdbc()
                .queryForList(
                        "select distinct listener_id from event_publication where event_type = ?",
                        String.class,
                        OrderCompleted.class.getName());
        assertTrue(
                listeners.stream().allMatch(listener -> listener.startsWith(Inventory.class.getName())),
                "only listeners of modules are in the registry: " + listeners);
    }

    @Test
    void anEventOutsideOfATransactionIsRefused() {
        MisuseException refused = assertThrows(
                MisuseException.class, () -> shop.context().publishEvent(new OrderCompleted("SO-6", "C-1")));
        assertTrue(String.valueOf(refused.getMessage()).contains("there is no transaction on this thread"));
        assertEquals(0, shop.waiting());
    }

    @Test
    void anEventAfterTheCommitIsRefusedAndOnlyTheListenerHearsOfIt() {
        shop.publish(new Finished("SO-20"));
        RuntimeException refusal = AfterCommit.REFUSAL.get();
        assertTrue(
                refusal instanceof MisuseException
                        && String.valueOf(refusal.getMessage()).contains("No message was published to topic all"),
                () -> "" + refusal);
        assertEquals(0, shop.waiting());
    }

    @Test
    void aTargetWithoutATopicIsRefused() {
        ConfigurationException refused =
                assertThrows(ConfigurationException.class, () -> shop.publish(new ToNowhere("SO-7")));
        assertEquals(
                "The event of type " + ToNowhere.class.getName() + " is to be externalized to nowhere, and no bean is"
                        + " a topic with this name. There are [all, orders]. Define a bean of type Topic with the"
                        + " name, or name one of these topics in @Externalized.",
                refused.getMessage());
    }

    @Test
    void anEventThatIsNoMessageOfTheTopicIsRefused() {
        MessageRejectedException refused =
                assertThrows(MessageRejectedException.class, () -> shop.publish(new ToOrders("SO-8")));
        assertTrue(String.valueOf(refused.getMessage()).contains("topic orders"), refused::toString);
        assertEquals(0, shop.waiting());
    }

    @Test
    void anEventIsMappedAndRoutedAsConfigured() throws Exception {
        shop.publish(new Shipped("SO-9", "C-1", 7));
        Delivery<?> sent = only();
        assertEquals(List.of("{\"shipped\":\"SO-9\"}"), shop.broker().payloads());
        assertEquals("all", sent.topic());
        assertEquals("C-1", sent.key());
        UUID id = UUID.fromString("00000000-0000-0000-0000-000000000009");
        assertEquals(Map.of("kind", "shipped", "weight", "7", "trace", id.toString()), sent.headers());
    }

    @Test
    void targetsAndKeysMayBeExpressionsWithBeans() throws Exception {
        shop.publish(new Routed("SO-10", "all"));
        Delivery<?> sent = only();
        assertEquals("all", sent.topic());
        assertEquals("key of SO-10", sent.key());
    }

    @Test
    void withoutARoutingKeyTheTopicDecides() throws Exception {
        shop.publish(new Placed("SO-11"));
        Await.until("both are sent", () -> shop.broker().sent().size() == 2);
        assertEquals("key of the topic", shop.broker().sent().get(0).key());
    }

    @Test
    void aMappingThatFailsRollsTheTransactionBack() {
        MessageRejectedException refused = assertThrows(
                MessageRejectedException.class,
                () -> shop.bean(TransactionTemplate.class).executeWithoutResult(status -> {
                    shop.jdbc().update("insert into completed values ('SO-12')");
                    shop.context().publishEvent(new Unmappable("SO-12"));
                }));
        assertTrue(String.valueOf(refused.getMessage()).contains("ClassCastException"), refused::toString);
        assertEquals(List.of(), shop.completed());
    }

    @Test
    void messagesOfSpringAndHeadersThatAreNoTextAreRefused() {
        MessageRejectedException message =
                assertThrows(MessageRejectedException.class, () -> shop.publish(new AsMessage("SO-13")));
        assertTrue(String.valueOf(message.getMessage()).contains("Map it to the payload"), message::toString);
        MessageRejectedException header =
                assertThrows(MessageRejectedException.class, () -> shop.publish(new WithBytes("SO-14")));
        assertTrue(String.valueOf(header.getMessage()).contains("The header bytes"), header::toString);
    }

    private static Delivery<?> only() throws Exception {
        Await.until("one is sent", () -> !shop.broker().sent().isEmpty() && shop.waiting() == 0);
        assertEquals(
                1, shop.broker().sent().size(), () -> shop.broker().payloads().toString());
        return shop.broker().sent().get(0);
    }

    record Placed(String number) {}

    record Finished(String number) {}

    record Shipped(String number, String customer, int weight) {}

    record Routed(String number, String topic) {}

    record ToNowhere(String number) {}

    record ToOrders(String number) {}

    record Unmappable(String number) {}

    record AsMessage(String number) {}

    record WithBytes(String number) {}

    /** A topic for events of all types, and how they are externalized. */
    @Configuration(proxyBeanMethods = false)
    static class Further {
        @Bean
        Topic<Object> all(OutboxJson json, Broker broker) {
            return Topic.builder("all", json.codec(Object.class))
                    .key(event -> "key of the topic")
                    .publisher(broker::send)
                    .build();
        }

        @Bean
        EventExternalizationConfiguration eventExternalizationConfiguration() {
            Set<Class<?>> here = Set.of(
                    Placed.class,
                    Shipped.class,
                    Routed.class,
                    ToNowhere.class,
                    ToOrders.class,
                    Unmappable.class,
                    AsMessage.class,
                    WithBytes.class);
            return EventExternalizationConfiguration.externalizing()
                    .select(event -> here.contains(event.getClass())
                            || EventExternalizationConfiguration.annotatedAsExternalized()
                                    .test(event))
                    .mapping(Shipped.class, event -> Map.of("shipped", event.number()))
                    .mapping(Unmappable.class, event -> ((Map<?, ?>) (Object) event).toString())
                    .mapping(
                            AsMessage.class,
                            event -> MessageBuilder.withPayload(event.number()).build())
                    .headers(Map.class, event -> Map.of("kind", "shipped", "weight", 7, "trace", new UUID(0, 9)))
                    .headers(WithBytes.class, event -> Map.of("bytes", new byte[1]))
                    .route(
                            Shipped.class,
                            event -> RoutingTarget.forTarget("all").andKey(event.customer()))
                    .route(
                            Routed.class,
                            event -> RoutingTarget.forTarget("#{topic()}").andKey("#{@keys.of(number())}"))
                    .route(
                            ToNowhere.class,
                            event -> RoutingTarget.forTarget("nowhere").withoutKey())
                    .route(
                            ToOrders.class,
                            event -> RoutingTarget.forTarget("orders").withoutKey())
                    .route(Placed.class, event -> RoutingTarget.forTarget("all").withoutKey())
                    .build();
        }

        @Bean
        AfterCommit afterCommit(ApplicationEventPublisher events) {
            return new AfterCommit(events);
        }

        @Bean
        Keys keys() {
            return new Keys();
        }

        @Bean
        Reservation reservation(ApplicationEventPublisher events) {
            return new Reservation(events);
        }
    }

    public static class Keys {
        public String of(String number) {
            return "key of " + number;
        }
    }

    /** Publishes an event when the transaction is over. */
    static class AfterCommit {
        /** Static, because Spring Modulith puts a proxy around the bean. */
        static final AtomicReference<@Nullable RuntimeException> REFUSAL = new AtomicReference<>();

        private final ApplicationEventPublisher events;

        AfterCommit(ApplicationEventPublisher events) {
            this.events = events;
        }

        @TransactionalEventListener
        void on(Finished event) {
            try {
                events.publishEvent(new Placed(event.number()));
            } catch (RuntimeException e) {
                REFUSAL.set(e);
                throw e;
            }
        }
    }

    /** Publishes an event because of another one, on the same thread. */
    static class Reservation {
        private final ApplicationEventPublisher events;

        Reservation(ApplicationEventPublisher events) {
            this.events = events;
        }

        @EventListener
        @Order(0)
        void on(Placed event) {
            if (!event.number().endsWith("reserved")) {
                events.publishEvent(new Placed(event.number() + ", reserved"));
            }
        }
    }
}
