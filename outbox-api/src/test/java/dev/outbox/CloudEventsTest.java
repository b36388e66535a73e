package dev.outbox;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class CloudEventsTest {
    private static final Instant TIME = Instant.parse("2026-01-02T03:04:05.006Z");

    @Test
    void anEventHasAllThatTheSpecificationRequires() {
        CloudEvents<String> events = CloudEvents.from("/shop/orders");
        assertEquals(
                Map.of(
                        "specversion", "1.0",
                        "id", "id-1",
                        "source", "/shop/orders",
                        "type", "orders",
                        "time", "2026-01-02T03:04:05.006Z"),
                events.attributes(delivery("x", "key", Map.of())));
    }

    @Test
    void whatIsOptionalIsThereIfItHasAText() {
        CloudEvents<String> events = CloudEvents.<String>from("https://shop.example")
                .type(text -> "example." + text)
                .subject(text -> text.equals("none") ? null : "of " + text)
                .contentType("application/json")
                .withPartitionKey();
        Map<String, String> attributes = events.attributes(delivery("x", "key", Map.of()));
        assertEquals(
                List.of("specversion", "id", "source", "type", "time", "subject", "datacontenttype", "partitionkey"),
                List.copyOf(attributes.keySet()));
        assertEquals("example.x", attributes.get("type"));
        assertEquals("of x", attributes.get("subject"));
        assertEquals("application/json", attributes.get("datacontenttype"));
        assertEquals("key", attributes.get("partitionkey"));
        Map<String, String> few = events.attributes(delivery("none", null, Map.of()));
        assertTrue(!few.containsKey("subject") && !few.containsKey("partitionkey"), "attributes: " + few);
    }

    @Test
    void theHeaderOfAMessageSaysWhatItsPayloadIs() {
        CloudEvents<String> events = CloudEvents.<String>from("/shop").contentType("application/json");
        Map<String, String> headers = Map.of(OutboxHeaders.CONTENT_TYPE, "text/plain");
        assertEquals(
                "text/plain", events.attributes(delivery("x", null, headers)).get("datacontenttype"));
    }

    @Test
    void whatIsNoEventIsRefused() {
        assertThrows(ConfigurationException.class, () -> CloudEvents.from(""), "an empty source");
        assertThrows(ConfigurationException.class, () -> CloudEvents.from("no uri"), "a source with a blank");
        CloudEvents<String> events = CloudEvents.from("/shop");
        assertThrows(ConfigurationException.class, () -> events.type(""), "an empty type");
        assertThrows(ConfigurationException.class, () -> events.contentType(""), "an empty media type");
        CloudEvents<String> untyped = events.type(text -> text);
        assertThrows(IllegalArgumentException.class, () -> untyped.attributes(delivery("", null, Map.of())));
    }

    @Test
    void theHeadersOfTheOutboxReplaceThoseOfTheMessage() {
        Map<String, String> headers = Map.of("a", "1", OutboxHeaders.ID, "forged");
        assertEquals(
                Map.of("a", "1", OutboxHeaders.ID, "id-1", OutboxHeaders.TOPIC, "orders"),
                OutboxHeaders.of(delivery("x", null, headers)));
    }

    private static Delivery<String> delivery(String message, @Nullable String key, Map<String, String> headers) {
        byte[] payload = message.getBytes(StandardCharsets.UTF_8);
        return new Delivery<>(message, "id-1", "orders", 3, key, headers, payload, 1, TIME);
    }
}
