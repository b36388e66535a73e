package dev.outbox.spring.boot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.Codecs;
import dev.outbox.MisuseException;
import dev.outbox.Topic;
import dev.outbox.processes.Await;
import dev.outbox.spring.OutboxPublisher;
import jakarta.persistence.Entity;
import jakarta.persistence.EntityManager;
import jakarta.persistence.Id;
import jakarta.persistence.PersistenceContext;
import jakarta.persistence.PostPersist;
import java.util.List;
import org.jooq.DSLContext;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.NestedExceptionUtils;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.transaction.annotation.Transactional;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;

/** Transactions of JPA and of jOOQ, as Spring Boot configures them. */
class TransactionManagersTest {
    @Test
    void aTransactionOfJpaHasItsMessages() throws Exception {
        try (ConfigurableApplicationContext application =
                Applications.run(WithJpa.class, Applications.without(Applications.MONGO))) {
            assertEquals(
                    "JpaTransactionManager",
                    application
                            .getBean(PlatformTransactionManager.class)
                            .getClass()
                            .getSimpleName());
            JpaShop shop = application.getBean(JpaShop.class);
            assertThrows(IllegalStateException.class, () -> shop.place("declined", true));
            shop.place("SO-1", false);
            assertTrue(shop.refusedAfterTheCommit() instanceof MisuseException, "" + shop.refusedAfterTheCommit());
            assertThrows(MisuseException.class, shop::report);
            Broker broker = application.getBean(Broker.class);
            Await.until("the order is published", () -> !broker.sent.isEmpty());
            assertEquals(List.of("SO-1"), broker.sent);
            assertEquals(1, shop.count());
        }
    }

    @Test
    void aListenerOfAnEntityIsOfTheTransactionUntilTheCommitBegins() throws Exception {
        try (ConfigurableApplicationContext application =
                Applications.run(WithJpa.class, Applications.without(Applications.MONGO))) {
            JpaShop shop = application.getBean(JpaShop.class);
            Announced.onInsert = () -> shop.announce("SO-1");
            shop.insert("SO-1", true);
            Announced.onInsert = () -> shop.announce("SO-2");
            RuntimeException thrown = assertThrows(RuntimeException.class, () -> shop.insert("SO-2", false));
            Throwable refused = NestedExceptionUtils.getMostSpecificCause(thrown);
            assertTrue(refused instanceof MisuseException, "" + thrown);
            assertTrue(
                    String.valueOf(refused.getMessage())
                            .contains("or its commit has begun (as in an entity listener during the flush)"),
                    "" + refused);
            Broker broker = application.getBean(Broker.class);
            Await.until("the order is published", () -> !broker.sent.isEmpty());
            assertEquals(List.of("SO-1"), broker.sent);
        }
    }

    @Test
    void aTransactionOfJooqHasItsMessages() throws Exception {
        try (ConfigurableApplicationContext application = Applications.run(WithTopic.class)) {
            DSLContext dsl = application.getBean(DSLContext.class);
            @SuppressWarnings("unchecked")
            OutboxPublisher<String> orders = application.getBean(OutboxPublisher.class);
            dsl.execute("create table orders (number varchar(20))");
            dsl.transaction(tx -> {
                tx.dsl().execute("insert into orders values ('SO-1')");
                orders.publish("SO-1");
                assertThrows(
                        IllegalStateException.class,
                        () -> tx.dsl().transaction(nested -> {
                            orders.publish("nested, rolled back");
                            throw new IllegalStateException("payment declined");
                        }));
            });
            assertThrows(
                    IllegalStateException.class,
                    () -> dsl.transaction(tx -> {
                        orders.publish("rolled back");
                        throw new IllegalStateException("payment declined");
                    }));
            assertThrows(MisuseException.class, () -> orders.publish("outside"));
            Broker broker = application.getBean(Broker.class);
            Await.until("the order is published", () -> !broker.sent.isEmpty());
            assertEquals(List.of("SO-1"), broker.sent);
        }
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class WithTopic {
        @Bean
        Broker broker() {
            return new Broker();
        }

        @Bean
        Topic<String> orders(Broker broker) {
            return Topic.builder("orders", Codecs.text())
                    .publisher(broker::send)
                    .build();
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class WithJpa extends WithTopic {
        @Bean
        JpaShop shop(OutboxPublisher<String> orders) {
            return new JpaShop(orders);
        }
    }

    @Entity(name = "Purchase")
    static class Purchase {
        @Id
        @Nullable
        String number;
    }

    @Entity(name = "Announced")
    static class Announced {
        static volatile Runnable onInsert = () -> {};

        @Id
        @Nullable
        String number;

        @PostPersist
        void inserted() {
            onInsert.run();
        }
    }

    static class JpaShop {
        private final OutboxPublisher<String> orders;
        private @Nullable Throwable refused;

        @PersistenceContext
        private @Nullable EntityManager entities;

        JpaShop(OutboxPublisher<String> orders) {
            this.orders = orders;
        }

        @Transactional
        public void place(String number, boolean declined) {
            Purchase purchase = new Purchase();
            purchase.number = number;
            entities().persist(purchase);
            orders.publish(number);
            TransactionSynchronizationManager.registerSynchronization(new TransactionSynchronization() {
                @Override
                public void afterCommit() {
                    refused = assertThrows(MisuseException.class, () -> orders.publish("after the commit"));
                }
            });
            if (declined) {
                throw new IllegalStateException("payment declined");
            }
        }

        @Transactional
        public void insert(String number, boolean flush) {
            Announced announced = new Announced();
            announced.number = number;
            entities().persist(announced);
            if (flush) {
                entities().flush();
            }
        }

        public void announce(String number) {
            orders.publish(number);
        }

        @Transactional(readOnly = true)
        public void report() {
            orders.publish("read-only");
        }

        @Transactional
        public long count() {
            return entities()
                    .createQuery("select p from Purchase p")
                    .getResultList()
                    .size();
        }

        public @Nullable Throwable refusedAfterTheCommit() {
            return refused;
        }

        private EntityManager entities() {
            return java.util.Objects.requireNonNull(entities);
        }
    }
}
