package dev.outbox.kafka;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.BrokerUnavailableException;
import dev.outbox.CloudEvents;
import dev.outbox.ConfigurationException;
import dev.outbox.Delivery;
import dev.outbox.PermanentFailureException;
import dev.outbox.Receipt;
import dev.outbox.processes.Await;
import dev.outbox.servers.KafkaServer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is Kafka's own in the publisher; that it keeps the contract of publishers, the TCK tests. */
class KafkaPublisherTest {
    private static KafkaServer server;
    private static KafkaTopics topics;

    private final String topic = "orders-" + UUID.randomUUID();

    @BeforeAll
    static void start() {
        server = KafkaServer.killable();
        topics = new KafkaTopics(server.direct());
    }

    @BeforeEach
    void create() throws Exception {
        topics.create(topic);
    }

    @Test
    void aReceiptNamesTheRecord() throws Exception {
        try (KafkaPublisher<String> publisher =
                publisher(settings()).topic(topic).build()) {
            Receipt receipt = publish(publisher, delivery("a", "key", Map.of()));
            ConsumerRecord<byte[], byte[]> message = topics.records(topic).get(0);
            assertEquals(topic + "-" + message.partition() + "@" + message.offset(), receipt.id());
        }
    }

    @Test
    void aMessageIsACloudEventIfThatIsAskedFor() throws Exception {
        CloudEvents<String> events = CloudEvents.<String>from("/shop")
                .type(text -> "shop." + text)
                .contentType("text/plain")
                .withPartitionKey();
        try (KafkaPublisher<String> publisher =
                publisher(settings()).topic(topic).cloudEvents(events).build()) {
            publish(publisher, delivery("placed", "C-1", Map.of("tenant", "7", "ce_type", "forged")));
        }
        ConsumerRecord<byte[], byte[]> message = topics.records(topic).get(0);
        Map<String, @Nullable String> headers = headers(message);
        assertEquals(
                Map.of(
                        "tenant", "7",
                        "outbox-id", "id-placed",
                        "outbox-topic", "orders",
                        "content-type", "text/plain",
                        "ce_specversion", "1.0",
                        "ce_id", "id-placed",
                        "ce_source", "/shop",
                        "ce_type", "shop.placed",
                        "ce_time", "2026-01-02T03:04:05Z",
                        "ce_partitionkey", "C-1"),
                headers);
        assertEquals(headers.size(), message.headers().toArray().length, "no header is there twice");
        assertArrayEquals("placed".getBytes(StandardCharsets.UTF_8), message.value());
        assertEquals("C-1", KafkaTopics.text(message.key()));
    }

    @Test
    void aTombstoneHasNoValue() throws Exception {
        try (KafkaPublisher<String> publisher = publisher(settings())
                .topic(topic)
                .tombstoneWhen(delivery -> delivery.message().equals("gone"))
                .build()) {
            publish(publisher, delivery("gone", "C-1", Map.of()));
            publish(publisher, delivery("there", "C-1", Map.of()));
        }
        List<ConsumerRecord<byte[], byte[]>> messages = topics.records(topic);
        assertNull(messages.get(0).value(), "the value of a tombstone");
        assertEquals("there", KafkaTopics.text(messages.get(1).value()));
    }

    @Test
    void messagesGoToTheTopicThatTheyName() throws Exception {
        String other = topic + "-other";
        topics.create(other);
        try (KafkaPublisher<String> publisher = publisher(settings())
                .topic(delivery -> delivery.message().equals("other") ? other : topic)
                .build()) {
            publish(publisher, delivery("other", null, Map.of()));
            publish(publisher, delivery("one", null, Map.of()));
        }
        assertEquals(1, topics.records(other).size());
        assertEquals(1, topics.records(topic).size());
    }

    @Test
    void aTopicThatIsNotThereIsFoundAtTheStart() throws Exception {
        Map<String, Object> impatient = settings();
        impatient.put("max.block.ms", 1_500);
        ConfigurationException refused = refusal(publisher(impatient).topic("no-such-topic"));
        assertTrue(refused.getMessage().contains("no topic no-such-topic"), refused.getMessage());
        refusal(publisher(settings()).topic("no such name"));
    }

    /** A publisher that is not answered in time is built, and then the next one asks. */
    private static ConfigurationException refusal(KafkaPublisher.Builder<String> builder) throws Exception {
        return Await.refusal(ConfigurationException.class, builder::build);
    }

    @Test
    void aWrongPasswordIsFoundAtTheStartAndNotShown() throws Exception {
        ConfigurationException refused =
                refusal(publisher(authenticated("wr0ng-password")).topic(topic));
        for (Throwable cause = refused; cause != null; cause = cause.getCause()) {
            assertTrue(!cause.toString().contains("wr0ng-password"), "a text shows the password: " + cause);
        }
        assertTrue(refused.getMessage().contains("does not accept"), refused.getMessage());
        try (KafkaPublisher<String> right =
                publisher(authenticated(KafkaServer.PASSWORD)).topic(topic).build()) {
            publish(right, delivery("a", null, Map.of()));
        }
        assertEquals(1, topics.records(topic).size());
    }

    @Test
    void aWrongPasswordUsesUpNoAttempt() throws Exception {
        try (KafkaPublisher<String> publisher =
                publisher(authenticated("wr0ng-password")).build()) {
            ExecutionException failed =
                    assertThrows(ExecutionException.class, () -> publish(publisher, delivery("a", null, Map.of())));
            assertTrue(failed.getCause() instanceof BrokerUnavailableException, failed.toString());
            assertTrue(!failed.toString().contains("wr0ng-password"), failed.toString());
        }
    }

    @Test
    void aMessageThatIsTooLargeForTheBrokerDoesNotEndTheProducer() throws Exception {
        Map<String, Object> settings = settings();
        settings.put("max.request.size", 4 * 1024 * 1024); // more than the broker takes
        AtomicInteger made = new AtomicInteger();
        try (KafkaPublisher<String> publisher = publisher(settings)
                .topic(topic)
                .producers(all -> {
                    made.incrementAndGet();
                    return new KafkaProducer<>(all);
                })
                .build()) {
            Delivery<String> large = new Delivery<>(
                    "large", "id-large", "orders", 0, "k", Map.of(), new byte[2_000_000], 1, Instant.EPOCH);
            ExecutionException failed = assertThrows(ExecutionException.class, () -> publish(publisher, large));
            assertTrue(failed.getCause() instanceof PermanentFailureException, failed.toString());
            publish(publisher, delivery("small", "k", Map.of()));
            assertEquals(1, made.get(), "producers");
        }
    }

    @Test
    void aFailureEndsTheProducerAndTheNextMessageGetsAnother() throws Exception {
        AtomicInteger made = new AtomicInteger();
        Map<String, Object> settings = impatient();
        try (KafkaPublisher<String> publisher = publisher(settings)
                .topic(topic)
                .producers(all -> {
                    made.incrementAndGet();
                    return new KafkaProducer<>(all);
                })
                .build()) {
            publishUntilTaken(publisher, delivery("1", "k", Map.of()));
            int before = made.get();
            server.network().refuse();
            try {
                assertThrows(ExecutionException.class, () -> publish(publisher, delivery("2", "k", Map.of())));
            } finally {
                server.network().heal();
            }
            publishUntilTaken(publisher, delivery("2", "k", Map.of()));
            assertTrue(made.get() > before, "there is another producer");
        }
        List<String> values = new ArrayList<>();
        topics.records(topic).forEach(message -> values.add(KafkaTopics.text(message.value())));
        assertEquals(List.of("1", "2"), values.stream().distinct().toList());
    }

    @Test
    void nothingInTheBufferIsSentAfterAnEarlierMessageHasFailed() throws Exception {
        Map<String, Object> settings = impatient();
        settings.put("delivery.timeout.ms", 4_000);
        settings.put("batch.size", 0); // messages of one batch fail together anyway
        try (KafkaPublisher<String> publisher = publisher(settings).topic(topic).build()) {
            publishUntilTaken(publisher, delivery("0", "k", Map.of()));
            server.network().refuse();
            CompletableFuture<Receipt> first =
                    publisher.publish(delivery("1", "k", Map.of())).toCompletableFuture();
            Await.passed(Duration.ofSeconds(2)); // so that the second one has time left when the first one has none
            CompletableFuture<Receipt> second =
                    publisher.publish(delivery("2", "k", Map.of())).toCompletableFuture();
            try {
                assertThrows(ExecutionException.class, () -> first.get(2, TimeUnit.MINUTES));
            } finally {
                server.network().heal();
            }
            assertThrows(ExecutionException.class, () -> second.get(2, TimeUnit.MINUTES));
            ExecutionException refused =
                    assertThrows(ExecutionException.class, () -> publish(publisher, delivery("3", "k", Map.of())));
            assertTrue(refused.toString().contains("comes first"), refused.toString());
            publishUntilTaken(publisher, delivery("1", "k", Map.of()));
            publishUntilTaken(publisher, delivery("2", "k", Map.of()));
        }
        List<String> values = new ArrayList<>();
        topics.records(topic).forEach(message -> values.add(KafkaTopics.text(message.value())));
        assertEquals(List.of("0", "1", "2"), values.stream().distinct().toList());
    }

    @Test
    void aProducerOfTheApplicationStaysOpen() throws Exception {
        Map<String, Object> settings = settings();
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
            KafkaPublisher<String> publisher =
                    KafkaPublisher.<String>over(producer, settings).topic(topic).build();
            publish(publisher, delivery("1", "k", Map.of()));
            publisher.close();
            assertThrows(ExecutionException.class, () -> publish(publisher, delivery("2", "k", Map.of())));
            producer.send(new ProducerRecord<>(topic, new byte[] {1})).get(2, TimeUnit.MINUTES);
        }
        assertEquals(2, topics.records(topic).size());
    }

    private static KafkaPublisher.Builder<String> publisher(Map<String, Object> settings) {
        return KafkaPublisher.builder(settings);
    }

    private static Map<String, Object> settings() {
        return new HashMap<>(Map.of("bootstrap.servers", server.direct()));
    }

    /** For tests that wait until a message is given up. */
    private static Map<String, Object> impatient() {
        Map<String, Object> settings = new HashMap<>(KafkaHarness.TIMES);
        settings.put("bootstrap.servers", server.proxied());
        return settings;
    }

    private static Map<String, Object> authenticated(String password) {
        Map<String, Object> settings = settings();
        settings.put("bootstrap.servers", server.authenticated());
        settings.put("security.protocol", "SASL_PLAINTEXT");
        settings.put("sasl.mechanism", "PLAIN");
        settings.put(
                "sasl.jaas.config",
                "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"" + KafkaServer.USER
                        + "\" password=\"" + password + "\";");
        return settings;
    }

    private static Receipt publish(KafkaPublisher<String> publisher, Delivery<String> delivery) throws Exception {
        return publisher.publish(delivery).toCompletableFuture().get(2, TimeUnit.MINUTES);
    }

    /** After an outage, the producer may need a while to find the broker. */
    private static void publishUntilTaken(KafkaPublisher<String> publisher, Delivery<String> delivery)
            throws Exception {
        Await.until("the message is taken", () -> {
            try {
                publish(publisher, delivery);
                return true;
            } catch (ExecutionException e) {
                return false;
            }
        });
    }

    private static Delivery<String> delivery(String message, @Nullable String key, Map<String, String> headers) {
        return new Delivery<>(
                message,
                "id-" + message,
                "orders",
                0,
                key,
                headers,
                message.getBytes(StandardCharsets.UTF_8),
                1,
                Instant.parse("2026-01-02T03:04:05Z"));
    }

    private static Map<String, @Nullable String> headers(ConsumerRecord<byte[], byte[]> message) {
        Map<String, @Nullable String> headers = new HashMap<>();
        message.headers().forEach(header -> headers.put(header.key(), KafkaTopics.text(header.value())));
        return headers;
    }
}
