package dev.outbox.spring;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.Codecs;
import dev.outbox.MisuseException;
import dev.outbox.Receipt;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.Topic;
import dev.outbox.processes.Await;
import dev.outbox.relay.Relay;
import dev.outbox.store.jooq.JdbcOutbox;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.context.ApplicationEventPublisher;
import org.springframework.context.SmartLifecycle;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.event.ContextRefreshedEvent;
import org.springframework.jdbc.support.JdbcTransactionManager;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.annotation.EnableTransactionManagement;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.transaction.event.TransactionPhase;
import org.springframework.transaction.event.TransactionalEventListener;

/** An application with annotations, events and a relay, on Spring Framework without Boot. */
class ContextTest {
    private final AnnotationConfigApplicationContext context =
            new AnnotationConfigApplicationContext(Application.class);
    private final Shop shop = context.getBean(Shop.class);
    private final Broker broker = context.getBean(Broker.class);
    private final OutboxRelay relay = context.getBean(OutboxRelay.class);

    @BeforeEach
    void start() {
        context.start();
    }

    @AfterEach
    void close() {
        context.close();
    }

    @Test
    void whatIsCommittedIsPublished() throws Exception {
        shop.place("committed");
        assertThrows(IllegalStateException.class, () -> shop.placeAndFail("rolled back"));
        shop.place("committed later");
        Await.until("both are published", () -> broker.sent.size() == 2);
        assertEquals(List.of("committed", "committed later"), broker.sent);
    }

    @Test
    void aCallWithinTheClassIsRefused() {
        MisuseException thrown = assertThrows(MisuseException.class, () -> shop.placeByItself("no proxy"));
        assertTrue(thrown.getMessage().contains("A call within one class"), thrown.getMessage());
    }

    @Test
    void aListenerBeforeTheCommitIsOfTheTransactionAndOneAfterItIsRefused() throws Exception {
        shop.announce("order");
        Await.until("two are published", () -> broker.sent.size() == 2);
        assertEquals(List.of("order before the commit", "order after the commit, anew"), broker.sent);
        assertEquals(1, shop.refused().size());
        String text = shop.refused().get(0).getMessage();
        assertTrue(text.contains(Shop.class.getName() + ".announce has ended"), text);
        assertTrue(text.contains("Propagation.REQUIRES_NEW"), text);
    }

    @Test
    void theRelayStopsAndStartsWithTheContext() throws Exception {
        assertTrue(relay.isRunning());
        assertNotNull(relay.state());
        context.stop();
        assertFalse(relay.isRunning());
        assertNull(relay.state());
        shop.place("while it is stopped");
        context.start();
        Await.until("it is published", () -> broker.sent.size() == 1);
        context.close();
        assertFalse(relay.isRunning());
    }

    @Test
    void theRelayOfAContextThatFailsAtTheEndOfItsStartStops() {
        List<OutboxRelay> relays = new ArrayList<>();
        try (AnnotationConfigApplicationContext failing = new AnnotationConfigApplicationContext()) {
            failing.register(Application.class);
            failing.addApplicationListener((ContextRefreshedEvent event) -> {
                OutboxRelay started = event.getApplicationContext().getBean(OutboxRelay.class);
                assertTrue(started.isRunning());
                relays.add(started);
                throw new IllegalStateException("the cache cannot be filled");
            });
            assertThrows(IllegalStateException.class, failing::refresh);
        }
        assertEquals(1, relays.size());
        assertFalse(relays.get(0).isRunning());
    }

    @Test
    void theRelayStopsAfterTheWebServerAndBeforeClientsOfBrokers() {
        int webServerStops = SmartLifecycle.DEFAULT_PHASE - 2048; // of Spring Boot
        int producersStop = Integer.MIN_VALUE; // of Spring for Apache Kafka and RabbitMQ
        assertTrue(relay.getPhase() < webServerStops && relay.getPhase() > producersStop, "phase " + relay.getPhase());
    }

    /** The broker's client, and what it has sent. */
    static class Broker {
        final List<String> sent = new CopyOnWriteArrayList<>();
    }

    @Configuration
    @EnableTransactionManagement
    static class Application {
        @Bean(destroyMethod = "close")
        Database database() {
            return new Database(false);
        }

        @Bean(destroyMethod = "")
        DataSource dataSource(Database database) {
            return database.pool;
        }

        @Bean
        PlatformTransactionManager transactionManager(DataSource dataSource) {
            return new JdbcTransactionManager(dataSource);
        }

        @Bean
        static OutboxTransactions outboxTransactions() {
            return new OutboxTransactions();
        }

        @Bean
        SpringOutbox outbox(OutboxTransactions transactions, DataSource dataSource) {
            return SpringJdbcOutbox.of(transactions, dataSource);
        }

        @Bean
        Broker broker() {
            return new Broker();
        }

        @Bean
        Topic<String> orders(Broker broker) {
            return Topic.builder("orders", Codecs.text())
                    .publisher(delivery -> {
                        broker.sent.add(delivery.message());
                        return Receipt.of(delivery.id());
                    })
                    .build();
        }

        @Bean
        OutboxPublisher<String> ordersPublisher(SpringOutbox outbox, Topic<String> orders) {
            return outbox.publisher(orders);
        }

        @Bean
        Store store(DataSource dataSource) {
            return JdbcOutbox.store(dataSource, StoreOptions.defaults());
        }

        @Bean
        OutboxRelay relay(SpringOutbox outbox, Store store, List<Topic<?>> topics) {
            return new OutboxRelay(outbox, () -> {
                Relay.Builder relay = Relay.builder(store).shutdownTimeout(Duration.ofSeconds(4));
                topics.forEach(relay::topic);
                return relay.build();
            });
        }

        @Bean
        Shop shop(OutboxPublisher<String> orders, ApplicationEventPublisher events) {
            return new Shop(orders, events);
        }

        @Bean
        Later later(OutboxPublisher<String> orders) {
            return new Later(orders);
        }
    }

    record Announced(String number) {}

    static class Shop {
        private final List<MisuseException> refused = new CopyOnWriteArrayList<>();

        private final OutboxPublisher<String> orders;
        private final ApplicationEventPublisher events;

        Shop(OutboxPublisher<String> orders, ApplicationEventPublisher events) {
            this.orders = orders;
            this.events = events;
        }

        public List<MisuseException> refused() {
            return refused;
        }

        @Transactional
        public void place(String number) {
            orders.publish(number);
        }

        @Transactional
        public void placeAndFail(String number) {
            orders.publish(number);
            throw new IllegalStateException("payment declined");
        }

        public void placeByItself(String number) {
            place(number);
        }

        @Transactional
        public void announce(String number) {
            events.publishEvent(new Announced(number));
        }

        @TransactionalEventListener(phase = TransactionPhase.BEFORE_COMMIT)
        public void beforeCommit(Announced announced) {
            orders.publish(announced.number + " before the commit");
        }

        @TransactionalEventListener(phase = TransactionPhase.AFTER_COMMIT)
        public void afterCommit(Announced announced) {
            refused.add(assertThrows(MisuseException.class, () -> orders.publish(announced.number + " lost")));
        }
    }

    static class Later {
        private final OutboxPublisher<String> orders;

        Later(OutboxPublisher<String> orders) {
            this.orders = orders;
        }

        @TransactionalEventListener(phase = TransactionPhase.AFTER_COMMIT)
        @Transactional(propagation = Propagation.REQUIRES_NEW)
        public void afterCommit(Announced announced) {
            orders.publish(announced.number + " after the commit, anew");
        }
    }
}
