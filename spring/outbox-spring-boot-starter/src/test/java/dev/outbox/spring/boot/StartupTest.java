package dev.outbox.spring.boot;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.Codecs;
import dev.outbox.Store;
import dev.outbox.StoreOptions;
import dev.outbox.Topic;
import dev.outbox.spring.OutboxPublisher;
import dev.outbox.spring.OutboxTransactions;
import dev.outbox.spring.SpringJdbcOutbox;
import dev.outbox.spring.SpringOutbox;
import dev.outbox.store.jooq.JdbcOutbox;
import javax.sql.DataSource;
import org.h2.jdbcx.JdbcDataSource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.ApplicationRunner;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** An application that cannot start says what to do, in words and without a stack trace. */
@ExtendWith(OutputCaptureExtension.class)
class StartupTest {
    private final CapturedOutput output;

    StartupTest(CapturedOutput output) {
        this.output = output;
    }

    @Test
    void aPublisherWithoutATopicIsExplained() {
        fails(NoTopic.class);
        says("A publisher for messages of type dev.outbox.spring.boot.OrderPlaced is wanted");
        says("Define a bean of type Topic<dev.outbox.spring.boot.OrderPlaced>");
    }

    @Test
    void severalTopicsOfOneTypeAreExplained() {
        fails(TwoTopics.class);
        says("There are 2 topics of type Topic<java.lang.String>");
        says("@Qualifier(\"orders\")");
    }

    @Test
    void severalDataSourcesAreExplained() {
        fails(TwoDataSources.class);
        says("There is no outbox to publish to");
        says("mark the one of the outbox with @Primary");
    }

    @Test
    void severalOutboxesAreExplained() {
        fails(TwoOutboxes.class);
        says("There are 2 outboxes");
        says("outbox.publisher(topic)");
    }

    @Test
    void anOutboxWithoutAStoreIsExplained() {
        fails(OutboxOnly.class);
        says("a bean of type SpringOutbox and none of type Store");
        says("or set outbox.relay.enabled=false");
        Applications.run(OutboxOnly.class, "outbox.relay.enabled=false").close();
    }

    @Test
    void aStoreWithoutAnOutboxIsExplained() {
        fails(StoreOnly.class);
        says("a bean of type Store and none of type SpringOutbox");
        Applications.run(StoreOnly.class, "outbox.relay.enabled=false").close();
    }

    @Test
    void missingTablesAreExplainedByTheirDdl() {
        fails(Applications.Shop.class, "outbox.store.create-schema=false");
        says("CREATE TABLE IF NOT EXISTS outbox_message");
        says("Do what the description says");
    }

    @Test
    void aTopicWithoutAPublisherIsExplained() {
        fails(NoPublisher.class);
        says("Topic orders has no publisher");
        says("outbox.relay.enabled=false");
    }

    @Test
    void aRelayThatTakesLongerToStopThanSpringWaitsIsExplained() {
        fails(Applications.Shop.class, "outbox.relay.shutdown-timeout=26s");
        says("outbox.relay.shutdown-timeout is 26 s");
        says("spring.lifecycle.timeout-per-shutdown-phase is 30 s");
    }

    @Test
    void aPoolThatTheRelayCanEmptyIsExplained() {
        String tooSmall = "spring.datasource.hikari.maximum-pool-size=2";
        fails(Applications.Shop.class, tooSmall, "outbox.relay.workers=2");
        says("The connection pool has at most 2 connections, and the relay keeps up to 2");
        says("Raise spring.datasource.hikari.maximum-pool-size to 6.");
        Applications.run(Applications.Shop.class, tooSmall, "outbox.relay.workers=1")
                .close();
        fails(Applications.Shop.class, tooSmall, "outbox.relay.workers=1", "outbox.store.wake-up=true");
        says("at most 2 connections, and the relay keeps up to 2 while");
    }

    @Test
    void anOptionThatTheStoreDoesNotKnowIsExplained() {
        fails(Applications.Shop.class, "outbox.store.options.strictorder=true");
        says("Unknown option [strictorder]");
    }

    @Test
    void publishingAtTheStartWithoutATransactionIsExplained() {
        fails(PublishesAtTheStart.class);
        says("there is no transaction on this thread");
    }

    private static void fails(Class<?> application, String... properties) {
        assertThrows(
                Exception.class, () -> Applications.run(application, properties).close());
    }

    private void says(String text) {
        assertTrue(output.getAll().contains("APPLICATION FAILED TO START"), output.getAll());
        assertTrue(output.getAll().contains(text), output.getAll());
    }

    record NeedsOrders(OutboxPublisher<OrderPlaced> orders) {}

    record NeedsText(OutboxPublisher<String> orders) {}

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class NoTopic {
        @Bean
        NeedsOrders needsOrders(OutboxPublisher<OrderPlaced> orders) {
            return new NeedsOrders(orders);
        }
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class NoPublisher {
        @Bean
        Topic<String> orders() {
            return Topic.builder("orders", Codecs.text()).build();
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class TwoTopics extends NoPublisher {
        @Bean
        Topic<String> cancelled() {
            return Topic.builder("cancelled", Codecs.text()).build();
        }

        @Bean
        NeedsText needsText(OutboxPublisher<String> text) {
            return new NeedsText(text);
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class TwoDataSources extends NoPublisher {
        @Bean
        DataSource shop() {
            return dataSource("two-1");
        }

        @Bean
        DataSource archive() {
            return dataSource("two-2");
        }

        private static DataSource dataSource(String name) {
            JdbcDataSource dataSource = new JdbcDataSource();
            dataSource.setUrl("jdbc:h2:mem:" + name + ";DB_CLOSE_DELAY=-1");
            return dataSource;
        }

        @Bean
        NeedsText needsText(OutboxPublisher<String> orders) {
            return new NeedsText(orders);
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class OutboxOnly extends NoPublisher {
        @Bean
        SpringOutbox ofTheApplication(OutboxTransactions transactions, DataSource dataSource) {
            return SpringJdbcOutbox.of(transactions, dataSource);
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class StoreOnly extends NoPublisher {
        @Bean
        Store ofTheApplication(DataSource dataSource) {
            return JdbcOutbox.store(dataSource, StoreOptions.defaults());
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class TwoOutboxes extends StoreOnly {
        @Bean
        SpringOutbox shop(OutboxTransactions transactions, DataSource dataSource) {
            return SpringJdbcOutbox.of(transactions, dataSource);
        }

        @Bean
        SpringOutbox archive(OutboxTransactions transactions, DataSource dataSource) {
            return SpringJdbcOutbox.of(transactions, dataSource);
        }

        @Bean
        NeedsText needsText(OutboxPublisher<String> orders) {
            return new NeedsText(orders);
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class PublishesAtTheStart extends Applications.Shop {
        @Bean
        ApplicationRunner runner(OutboxPublisher<OrderPlaced> orders) {
            return arguments -> orders.publish(new OrderPlaced("SO-1"));
        }
    }
}
