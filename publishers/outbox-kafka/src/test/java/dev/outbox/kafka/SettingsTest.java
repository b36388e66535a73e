package dev.outbox.kafka;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.AsyncBrokerPublisher;
import dev.outbox.BrokerUnavailableException;
import dev.outbox.ConfigurationException;
import dev.outbox.Delivery;
import dev.outbox.PermanentFailureException;
import dev.outbox.RetryPolicy;
import dev.outbox.TopicSettings;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.RoundRobinPartitioner;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.types.Password;
import org.apache.kafka.common.errors.InvalidTimestampException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.errors.NotEnoughReplicasException;
import org.apache.kafka.common.errors.NotLeaderOrFollowerException;
import org.apache.kafka.common.errors.OutOfOrderSequenceException;
import org.apache.kafka.common.errors.PolicyViolationException;
import org.apache.kafka.common.errors.ProducerFencedException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.SaslAuthenticationException;
import org.apache.kafka.common.errors.SerializationException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.errors.UnknownServerException;
import org.apache.kafka.common.errors.UnsupportedCompressionTypeException;
import org.apache.kafka.common.errors.UnsupportedForMessageFormatException;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;

/** Which settings a publisher takes, and which it refuses; no server is there. */
class SettingsTest {
    private static final Map<String, Object> NOWHERE = Map.of("bootstrap.servers", "127.0.0.1:1");

    @Test
    void settingsThatLoseOrReorderMessagesAreRefusedByName() {
        Map<String, Object> wrong = new HashMap<>(Map.of(
                "acks", "1",
                "enable.idempotence", false,
                "max.in.flight.requests.per.connection", 6,
                "transactional.id", "tx-1",
                "partitioner.ignore.keys", "true",
                "partitioner.class", RoundRobinPartitioner.class.getName(),
                "delivery.timeout.ms", "soon"));
        wrong.forEach((name, value) -> {
            Map<String, Object> settings = with(name, value);
            ConfigurationException refused = assertThrows(
                    ConfigurationException.class, () -> KafkaPublisher.builder(settings), name + "=" + value);
            assertTrue(refused.getMessage().contains(name), "the text names " + name + ": " + refused.getMessage());
        });
        try (KafkaProducer<byte[], byte[]> producer =
                new KafkaProducer<>(NOWHERE, new ByteArraySerializer(), new ByteArraySerializer())) {
            assertThrows(
                    ConfigurationException.class,
                    () -> KafkaPublisher.over(producer, Map.of("acks", "0")),
                    "the settings of an application's own producer");
        }
    }

    @Test
    void settingsThatAreNotThereAreSet() {
        Map<String, Object> all = new HashMap<>();
        KafkaPublisher.builder(NOWHERE)
                .producers(settings -> {
                    all.putAll(settings);
                    return new KafkaProducer<>(settings);
                })
                .build()
                .close();
        assertEquals("all", all.get("acks"));
        assertEquals(true, all.get("enable.idempotence"));
        assertEquals(5_000, all.get("max.block.ms"));
        assertEquals(45_000, all.get("delivery.timeout.ms"));
        assertEquals(15_000, all.get("request.timeout.ms"));
        assertEquals(1, all.get("max.in.flight.requests.per.connection"));
        assertEquals(0, all.get("linger.ms"));
        assertEquals(false, all.get("enable.metrics.push"));
        assertTrue(String.valueOf(all.get("client.id")).startsWith("outbox-"), "client.id: " + all.get("client.id"));
    }

    @Test
    void aShortDeliveryTimeoutNeedsNoOtherSetting() {
        KafkaPublisher.builder(with("delivery.timeout.ms", "3000")).build().close();
    }

    @Test
    void whatIsNoSettingOfAProducerIsRefused() {
        ConfigurationException refused = assertThrows(
                ConfigurationException.class,
                () -> KafkaPublisher.builder(Map.of("bootstrap.servers", "nonsense"))
                        .build());
        assertTrue(refused.getMessage().contains("nonsense"), refused.getMessage());
    }

    @Test
    void aProducerThatCannotBeMadeAgainUsesUpNoAttempt() {
        AtomicBoolean broken = new AtomicBoolean();
        Map<String, Object> settings = with("max.block.ms", 1);
        try (KafkaPublisher<Object> publisher = KafkaPublisher.builder(settings)
                .producers(all -> {
                    if (broken.get()) {
                        throw new KafkaException("no name of a broker is found");
                    }
                    return new KafkaProducer<>(all);
                })
                .build()) {
            publisher.producer().close();
            broken.set(true);
            for (int i = 0; i < 2; i++) { // with the closed producer, and without one
                CompletionException failed = assertThrows(
                        CompletionException.class,
                        () -> publisher
                                .publish(delivery())
                                .toCompletableFuture()
                                .join());
                assertTrue(failed.getCause() instanceof BrokerUnavailableException, failed.toString());
            }
        }
    }

    private static Delivery<Object> delivery() {
        return new Delivery<>("m", "id", "orders", 0, "key", Map.of(), new byte[0], 1, Instant.EPOCH);
    }

    @Test
    void aTopicWaitsLongerThanTheProducer() {
        try (KafkaPublisher<Object> publisher = KafkaPublisher.builder(NOWHERE).build()) {
            publisher.check(topic(1, Duration.ofMillis(50_001)));
            publisher.check(topic(1, Duration.ofMinutes(1)));
            ConfigurationException refused =
                    assertThrows(ConfigurationException.class, () -> publisher.check(topic(1, Duration.ofSeconds(50))));
            for (String word : List.of("publishTimeout", "max.block.ms", "delivery.timeout.ms", "PT50S")) {
                assertTrue(refused.getMessage().contains(word), refused.getMessage());
            }
            publisher.check(topic(20, Duration.ofMinutes(1)));
        }
    }

    @Test
    void severalRequestsAtATimeAreForOneMessageAtATime() {
        Map<String, Object> settings = with("max.in.flight.requests.per.connection", 5);
        try (KafkaPublisher<Object> publisher = KafkaPublisher.builder(settings).build()) {
            publisher.check(topic(1, Duration.ofMinutes(1)));
            ConfigurationException refused =
                    assertThrows(ConfigurationException.class, () -> publisher.check(topic(2, Duration.ofMinutes(1))));
            assertTrue(refused.getMessage().contains("max.in.flight.requests.per.connection"), refused.getMessage());
        }
    }

    @Test
    void aNameThatKafkaDoesNotAllowIsRefused() {
        try (KafkaPublisher<Object> same = KafkaPublisher.builder(NOWHERE).build();
                KafkaPublisher<Object> other = KafkaPublisher.builder(NOWHERE)
                        .topic(delivery -> "orders")
                        .build()) {
            same.check(topic("orders.placed_1-a"));
            for (String name : List.of("orders/placed", "orders:placed", "..", "o".repeat(250))) {
                ConfigurationException refused =
                        assertThrows(ConfigurationException.class, () -> same.check(topic(name)), name);
                assertTrue(refused.getMessage().contains(name), refused.getMessage());
                other.check(topic(name));
            }
        }
    }

    private static TopicSettings topic(String name) {
        return new TopicSettings(name, 8, 1, Duration.ofMinutes(1), RetryPolicy.defaults());
    }

    @Test
    void aProducerOfTheApplicationSendsOneByOne() {
        Map<String, Object> settings = with("max.block.ms", 1_000);
        try (KafkaProducer<byte[], byte[]> producer =
                        new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
                KafkaPublisher<Object> publisher =
                        KafkaPublisher.over(producer, settings).build()) {
            // The time that Kafka has where nobody has set another: 120 seconds.
            AsyncBrokerPublisher<Object> asked = publisher;
            assertThrows(ConfigurationException.class, () -> asked.check(topic(1, Duration.ofMinutes(2))));
            asked.check(topic(1, Duration.ofMinutes(3)));
            AsyncBrokerPublisher<Object> slow = KafkaPublisher.over(producer, Map.of("request.timeout.ms", 300_000))
                    .build(); // whose delivery.timeout.ms is as long
            assertThrows(ConfigurationException.class, () -> slow.check(topic(1, Duration.ofMinutes(6))));
            slow.check(topic(1, Duration.ofMinutes(7)));
            ConfigurationException refused =
                    assertThrows(ConfigurationException.class, () -> asked.check(topic(2, Duration.ofMinutes(3))));
            assertTrue(refused.getMessage().contains("inFlight"), refused.getMessage());
        }
    }

    @Test
    void secretsAreHidden() {
        Secrets secrets = Secrets.in(Map.of(
                "ssl.key.password", new Password("top-s3cret"),
                "sasl.jaas.config", "x.PlainLoginModule required username=\"outbox\" password=\"pa ss\";",
                "bootstrap.servers", "broker:9092"));
        assertEquals(
                "[hidden] and [hidden] at broker:9092 of outbox",
                secrets.hide("top-s3cret and pa ss at broker:9092 of outbox"));
        assertTrue(secrets.areIn(new IllegalStateException("a", new RuntimeException("it was top-s3cret"))));
        assertTrue(!secrets.areIn(new IllegalStateException("a", new RuntimeException("it was outbox"))));
    }

    /** A password may be a word that stands in other texts, too. */
    @Test
    void aTextWithAHiddenSecretMeansTheSameToTheRelay() {
        Failures failures = new Failures(Secrets.in(Map.of("ssl.key.password", "orders")));
        assertInstanceOf(
                BrokerUnavailableException.class,
                failures.withoutSecrets(new BrokerUnavailableException("no topic orders")));
        Exception refused = failures.withoutSecrets(new PermanentFailureException("orders is too large"));
        assertInstanceOf(PermanentFailureException.class, refused);
        assertTrue(!refused.toString().contains("orders"), refused.toString());
    }

    @Test
    void aMessageWithoutADestinationIsADeadLetter() {
        try (KafkaPublisher<Object> publisher = KafkaPublisher.builder(NOWHERE)
                .topic(delivery -> delivery.message().equals("m") ? null : "orders")
                .build()) {
            CompletionException failed = assertThrows(
                    CompletionException.class,
                    () -> publisher.publish(delivery()).toCompletableFuture().join());
            assertInstanceOf(PermanentFailureException.class, failed.getCause());
        }
    }

    @Test
    void whatIsTheFaultOfTheBrokerUsesUpNoAttempt() {
        Failures failures = new Failures(Secrets.in(Map.of()));
        for (Exception thrown : List.of(
                new TimeoutException("t"),
                new NotEnoughReplicasException("n"),
                new NotLeaderOrFollowerException("n"),
                new KafkaStorageException("k"),
                new TopicAuthorizationException("t"),
                new SaslAuthenticationException("s"),
                new PolicyViolationException("p"),
                new UnknownServerException("u"),
                new OutOfOrderSequenceException("o"),
                new InvalidTopicException("i"),
                new InvalidTimestampException("i"),
                new UnsupportedForMessageFormatException("u"),
                new UnsupportedVersionException("u"),
                new UnsupportedCompressionTypeException("u"),
                new KafkaException("a neighbour in the batch was refused"),
                new ProducerFencedException("p"))) {
            assertTrue(failures.of(thrown, "orders") instanceof BrokerUnavailableException, thrown.toString());
        }
        for (Exception thrown : List.of(
                new RecordTooLargeException("r"),
                new InvalidRecordException("no key"),
                new SerializationException("s"))) {
            assertTrue(failures.of(thrown, "orders") instanceof PermanentFailureException, thrown.toString());
        }
        RuntimeException other = new UnsupportedOperationException("of an interceptor");
        assertSame(other, failures.of(other, "orders"), "what the retry policy decides about");
    }

    private static TopicSettings topic(int inFlight, Duration publishTimeout) {
        return new TopicSettings("orders", 8, inFlight, publishTimeout, RetryPolicy.defaults());
    }

    private static Map<String, Object> with(String name, Object value) {
        Map<String, Object> settings = new HashMap<>(NOWHERE);
        settings.put(name, value);
        return settings;
    }
}
