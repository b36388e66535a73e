package dev.outbox.spring.boot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.Codecs;
import dev.outbox.Operations;
import dev.outbox.Receipt;
import dev.outbox.Store;
import dev.outbox.Topic;
import dev.outbox.processes.Await;
import dev.outbox.relay.Relay;
import dev.outbox.spring.OutboxRelay;
import dev.outbox.spring.SpringOutbox;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Primary;

/** Health and the endpoint, by HTTP. */
class ActuatorTest {
    private static final String EXPOSED = "management.endpoints.web.exposure.include=*";
    private static final String DETAILS = "management.endpoint.health.show-details=always";
    private static final String PROBES = "management.endpoint.health.probes.enabled=true";

    private final HttpClient client = HttpClient.newHttpClient();

    @Test
    void anOutageOfTheBrokerIsSeenAndRestartsNothing() throws Exception {
        try (ConfigurableApplicationContext application =
                Applications.serve(Applications.Shop.class, EXPOSED, DETAILS, PROBES)) {
            Await.until(
                    "the outbox is up",
                    () -> get(application, "/actuator/health").contains("\"workers\":\"1 of 1\""));
            assertEquals(200, status(application, "GET", "/actuator/health", ""));
            Broker broker = application.getBean(Broker.class);
            broker.mood = Broker.Mood.IS_AWAY;
            application.getBean(Applications.PlaceOrder.class).place("SO-1", false);
            Await.until("the outage is seen", () -> status(application, "GET", "/actuator/health", "") == 503);
            assertTrue(get(application, "/actuator/health").contains("the broker is away"));
            assertEquals(200, status(application, "GET", "/actuator/health/liveness", ""));
            assertEquals(200, status(application, "GET", "/actuator/health/readiness", ""));
            broker.mood = Broker.Mood.TAKES;
            Await.until("the outage is over", () -> status(application, "GET", "/actuator/health", "") == 200);
            assertEquals(1, broker.sent.size());
        }
    }

    @Test
    void anApplicationWithoutTopicsIsUp() throws Exception {
        try (ConfigurableApplicationContext application = Applications.serve(NoTopics.class, EXPOSED, DETAILS)) {
            String health = get(application, "/actuator/health");
            assertTrue(health.contains("\"relay\":\"no topics\""), health);
            assertEquals(200, status(application, "GET", "/actuator/health", ""));
        }
    }

    @Test
    void oneOfSeveralRelaysHasNoHealthUnlessItIsPrimary() throws Exception {
        try (ConfigurableApplicationContext application = Applications.serve(TwoRelays.class, EXPOSED, DETAILS)) {
            String health = get(application, "/actuator/health");
            assertTrue(health.contains("\"status\":\"UP\"") && !health.contains("\"outbox\""), health);
        }
        try (ConfigurableApplicationContext application = Applications.serve(PrimaryRelay.class, EXPOSED, DETAILS)) {
            Await.until(
                    "the primary one is up",
                    () -> get(application, "/actuator/health").contains("\"workers\":\"3 of 3\""));
            String health = get(application, "/actuator/health");
            assertTrue(!health.contains("no topics"), "it has one, which is no bean: " + health);
        }
    }

    @Test
    void theEndpointIsReadOnlyUnlessItIsToldOtherwise() throws Exception {
        try (ConfigurableApplicationContext application = Applications.serve(Applications.Shop.class, EXPOSED)) {
            String id = dies(application);
            String overview = get(application, "/actuator/outbox");
            assertTrue(overview.contains("\"relay\":\"running\""), overview);
            assertTrue(overview.contains("\"deadLetterTopics\":[{"), overview);
            String letters = get(application, "/actuator/outbox/orders");
            assertTrue(letters.contains(id) && letters.contains("the broker refuses it"), letters);
            assertTrue(!letters.contains("SO-1"), "payloads are not shown: " + letters);
            assertEquals(405, status(application, "POST", "/actuator/outbox/redrive", "{\"topic\":\"orders\"}"));
            assertEquals(405, status(application, "DELETE", "/actuator/outbox/" + id, ""));
            assertEquals(id, dead(application));
        }
    }

    @Test
    void theEndpointRedrivesDiscardsAndRetries() throws Exception {
        try (ConfigurableApplicationContext application = Applications.serve(
                Applications.Shop.class, EXPOSED, "management.endpoint.outbox.access=unrestricted")) {
            dies(application);
            Broker broker = application.getBean(Broker.class);
            broker.mood = Broker.Mood.TAKES;
            assertEquals(
                    "{\"redriven\":1}",
                    send(application, "POST", "/actuator/outbox/redrive", "{\"topic\":\"orders\"}")
                            .body());
            Await.until("it is published", () -> broker.sent.size() == 1);
            broker.mood = Broker.Mood.REFUSES;
            String id = dies(application);
            assertEquals(
                    "{\"discarded\":1}",
                    send(application, "DELETE", "/actuator/outbox/" + id, "").body());
            assertEquals(
                    "{\"retried\":0}",
                    send(application, "POST", "/actuator/outbox/retry", "{\"topic\":\"orders\"}")
                            .body());
            assertEquals(400, status(application, "POST", "/actuator/outbox/retry", "{}"));
        }
    }

    private static String dies(ConfigurableApplicationContext application) throws Exception {
        application.getBean(Broker.class).mood = Broker.Mood.REFUSES;
        application.getBean(Applications.PlaceOrder.class).place("SO-1", false);
        Await.until("the message is dead", () -> !dead(application).isEmpty());
        return dead(application);
    }

    private static String dead(ConfigurableApplicationContext application) {
        return Operations.of(application.getBean(Store.class)).deadLetters("orders", null, 1).stream()
                .map(letter -> letter.message().id())
                .findFirst()
                .orElse("");
    }

    private String get(ConfigurableApplicationContext application, String path) throws Exception {
        return send(application, "GET", path, "").body();
    }

    private int status(ConfigurableApplicationContext application, String method, String path, String body)
            throws Exception {
        return send(application, method, path, body).statusCode();
    }

    private HttpResponse<String> send(
            ConfigurableApplicationContext application, String method, String path, String body) throws Exception {
        String port = application.getEnvironment().getRequiredProperty("local.server.port");
        HttpRequest request = HttpRequest.newBuilder(URI.create("http://localhost:" + port + path))
                .method(method, HttpRequest.BodyPublishers.ofString(body))
                .header("Content-Type", "application/json")
                .build();
        return client.send(request, HttpResponse.BodyHandlers.ofString());
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class NoTopics {}

    @Configuration(proxyBeanMethods = false)
    static class TwoRelays extends NoTopics {
        @Bean
        OutboxRelay one(SpringOutbox outbox, Store store) {
            return new OutboxRelay(outbox, () -> Relay.builder(store).build());
        }

        @Bean
        OutboxRelay two(SpringOutbox outbox, Store store) {
            return one(outbox, store);
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class PrimaryRelay extends TwoRelays {
        @Bean
        @Primary
        OutboxRelay three(SpringOutbox outbox, Store store) {
            Topic<String> noBean = Topic.builder("no-bean", Codecs.text())
                    .publisher(delivery -> Receipt.taken())
                    .build();
            return new OutboxRelay(
                    outbox, () -> Relay.builder(store).workers(3).topic(noBean).build());
        }
    }
}
