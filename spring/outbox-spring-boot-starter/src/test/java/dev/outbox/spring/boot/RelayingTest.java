package dev.outbox.spring.boot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.Delivery;
import dev.outbox.Operations;
import dev.outbox.Receipt;
import dev.outbox.Store;
import dev.outbox.Topic;
import dev.outbox.processes.Await;
import dev.outbox.relay.RelayState;
import dev.outbox.spring.OutboxPublisher;
import dev.outbox.spring.OutboxRelay;
import dev.outbox.store.jooq.JdbcOutbox;
import dev.outbox.store.jooq.SqlDatabase;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.SmartLifecycle;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.core.JdbcTemplate;

/** What is committed is published, however the application is configured, stopped and started. */
@ExtendWith(OutputCaptureExtension.class)
class RelayingTest {
    private static final String CREATE_SCHEMA = "outbox.store.create-schema=true";

    @Test
    void whatIsCommittedIsPublished() throws Exception {
        try (ConfigurableApplicationContext application = Applications.run(Applications.Shop.class)) {
            placedIsPublished(application);
        }
    }

    @Test
    void aPoolWithoutAutoCommitMakesNoDifference() throws Exception {
        try (ConfigurableApplicationContext application =
                Applications.run(Applications.Shop.class, "spring.datasource.hikari.auto-commit=false")) {
            placedIsPublished(application);
        }
    }

    @Test
    void aPoolThatIsTooSmallIsNoticed(CapturedOutput output) throws Exception {
        try (ConfigurableApplicationContext application =
                Applications.run(Applications.Shop.class, "spring.datasource.hikari.maximum-pool-size=4")) {
            placedIsPublished(application);
        }
        assertTrue(
                output.getAll().contains("The connection pool has at most 4 connections; the relay may need 4"),
                output.getAll());
    }

    @Test
    void anApplicationWhoseBeansAreLazyPublishes() throws Exception {
        try (ConfigurableApplicationContext application =
                Applications.run(Applications.Shop.class, "spring.main.lazy-initialization=true")) {
            placedIsPublished(application);
        }
    }

    @Test
    void aContextThatIsStoppedAndStartedGoesOn() throws Exception {
        try (ConfigurableApplicationContext application = Applications.run(Applications.Shop.class)) {
            placedIsPublished(application);
            application.stop();
            assertFalse(application.getBean(OutboxRelay.class).isRunning());
            application.getBean(Applications.PlaceOrder.class).place("meanwhile", false);
            application.start();
            Broker broker = application.getBean(Broker.class);
            Await.until("the order is published", () -> broker.sent.size() == 2);
        }
    }

    @Test
    void tablesMayBeMadeBySpring(@TempDir Path folder) throws Exception {
        Path script = Files.writeString(
                folder.resolve("schema.sql"), JdbcOutbox.named("events_").ddl(SqlDatabase.H2));
        try (ConfigurableApplicationContext application = Applications.run(
                Applications.Shop.class,
                "spring.sql.init.schema-locations=" + script.toUri(),
                "outbox.store.prefix=events_",
                "outbox.store.create-schema=false")) {
            placedIsPublished(application);
        }
    }

    @Test
    void anApplicationWithoutARelayOnlyPublishes() throws Exception {
        try (ConfigurableApplicationContext application =
                Applications.run(Applications.Shop.class, "outbox.relay.enabled=false", CREATE_SCHEMA)) {
            assertEquals(0, application.getBeanNamesForType(OutboxRelay.class).length);
            application.getBean(Applications.PlaceOrder.class).place("SO-1", false);
            List<Operations.Backlog> backlog =
                    Operations.of(application.getBean(Store.class)).backlog();
            assertEquals(1, backlog.size());
            assertEquals(1, backlog.get(0).pending());
        }
    }

    @Test
    void theSchemaOfALazyApplicationWithoutARelayIsCreated() {
        try (ConfigurableApplicationContext application = Applications.run(
                Applications.Shop.class,
                "outbox.relay.enabled=false",
                CREATE_SCHEMA,
                "spring.main.lazy-initialization=true")) {
            application.getBean(Applications.PlaceOrder.class).place("SO-1", false);
        }
    }

    /** As that of namastack is, which an application has for a while when it migrates. */
    @Test
    void anotherBeanMayBeCalledOutbox() throws Exception {
        try (ConfigurableApplicationContext application = Applications.run(ShopWithAnotherOutbox.class)) {
            placedIsPublished(application);
        }
    }

    @Test
    void aCommitWakesTheRelayUp() throws Exception {
        try (ConfigurableApplicationContext application =
                Applications.run(Applications.Shop.class, "outbox.relay.max-poll-interval=1h")) {
            OutboxRelay relay = application.getBean(OutboxRelay.class);
            // Each pause is twice as long as the one before, so the last ones are longer than this test waits.
            for (int rounds = 0; rounds < 24; rounds++) {
                Instant last = awaitRoundAfter(Instant.EPOCH, relay);
                Await.until("the clock goes on", () -> Instant.now().isAfter(last.plusMillis(1)));
                relay.wakeUp();
                awaitRoundAfter(last, relay);
            }
            placedIsPublished(application);
        }
    }

    private static Instant awaitRoundAfter(Instant last, OutboxRelay relay) throws Exception {
        Await.until("a round", () -> lastGoodRound(relay).isAfter(last));
        return lastGoodRound(relay);
    }

    private static Instant lastGoodRound(OutboxRelay relay) {
        RelayState state = relay.state();
        return state == null || state.lastGoodRound() == null ? Instant.EPOCH : state.lastGoodRound();
    }

    @Test
    void aMessageInHandIsPublishedBeforeTheBrokersClientIsClosed() throws Exception {
        ConfigurableApplicationContext application = Applications.run(SlowShop.class);
        SlowBroker broker = application.getBean(SlowBroker.class);
        OutboxRelay relay = application.getBean(OutboxRelay.class);
        application.getBean(Applications.PlaceOrder.class).place("SO-1", false);
        broker.entered.await();
        Thread closing = new Thread(application::close);
        closing.start();
        Await.until("the relay stops, and has not stopped yet", () -> isStopping(relay));
        broker.mayGoOn.countDown();
        closing.join();
        assertEquals(List.of("published", "closed"), broker.events);
        assertFalse(relay.isRunning());
    }

    private static boolean isStopping(OutboxRelay relay) {
        RelayState state = relay.state();
        return state != null && !state.running();
    }

    @Test
    void theRelayStopsAfterTheWebServer() {
        try (ConfigurableApplicationContext application = Applications.serve(Applications.Shop.class)) {
            OutboxRelay relay = application.getBean(OutboxRelay.class);
            List<SmartLifecycle> webServers = application.getBeansOfType(SmartLifecycle.class).entrySet().stream()
                    .filter(bean -> bean.getKey().startsWith("webServer"))
                    .map(java.util.Map.Entry::getValue)
                    .toList();
            assertEquals(2, webServers.size(), "graceful shutdown and stop");
            webServers.forEach(
                    web -> assertTrue(web.getPhase() > relay.getPhase(), web.getPhase() + " and " + relay.getPhase()));
        }
    }

    private static void placedIsPublished(ConfigurableApplicationContext application) throws Exception {
        Applications.PlaceOrder shop = application.getBean(Applications.PlaceOrder.class);
        Broker broker = application.getBean(Broker.class);
        assertThrows(IllegalStateException.class, () -> shop.place("declined", true));
        shop.place("SO-1", false);
        Await.until("the order is published", () -> !broker.sent.isEmpty());
        assertEquals(List.of("{\"orderNumber\":\"SO-1\"}"), broker.sent);
    }

    /** A client of a broker whose answer takes until the test lets it go on. */
    static final class SlowBroker implements AutoCloseable {
        private final CountDownLatch entered = new CountDownLatch(1);
        private final CountDownLatch mayGoOn = new CountDownLatch(1);
        private final List<String> events = new CopyOnWriteArrayList<>();

        Receipt send(Delivery<?> delivery) throws InterruptedException {
            entered.countDown();
            mayGoOn.await();
            events.add("published");
            return Receipt.of(delivery.id());
        }

        @Override
        public void close() {
            events.add("closed");
        }
    }

    record AnotherOutbox() {}

    @Configuration(proxyBeanMethods = false)
    static class ShopWithAnotherOutbox extends Applications.Shop {
        @Bean
        AnotherOutbox outbox() {
            return new AnotherOutbox();
        }
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class SlowShop {
        @Bean
        SlowBroker broker() {
            return new SlowBroker();
        }

        @Bean
        Topic<OrderPlaced> orders(OutboxJson json, SlowBroker broker) {
            return Topic.builder("orders", json.codec(OrderPlaced.class))
                    .publisher(broker::send)
                    .build();
        }

        @Bean
        Applications.PlaceOrder placeOrder(OutboxPublisher<OrderPlaced> orders, JdbcTemplate jdbc) {
            jdbc.execute("create table orders (number varchar(20))");
            return new Applications.PlaceOrder(orders, jdbc);
        }
    }
}
