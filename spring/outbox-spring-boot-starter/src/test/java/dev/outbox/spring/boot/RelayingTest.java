package dev.outbox.spring.boot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.Operations;
import dev.outbox.Store;
import dev.outbox.processes.Await;
import dev.outbox.spring.OutboxRelay;
import dev.outbox.store.jooq.JdbcOutbox;
import dev.outbox.store.jooq.SqlDatabase;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.SmartLifecycle;

/** What is committed is published, however the application is configured, stopped and started. */
@ExtendWith(OutputCaptureExtension.class)
class RelayingTest {
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
                Applications.run(Applications.Shop.class, "outbox.relay.enabled=false")) {
            assertEquals(0, application.getBeanNamesForType(OutboxRelay.class).length);
            Store store = application.getBean(Store.class);
            application.getBean(Applications.PlaceOrder.class).place("SO-1", false);
            List<Operations.Backlog> backlog = Operations.of(store).backlog();
            assertEquals(1, backlog.size());
            assertEquals(1, backlog.get(0).pending());
        }
    }

    @Test
    void theRelayStopsAfterTheWebServerAndInTime() {
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
}
