package dev.outbox.kafka;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.BrokerUnavailableException;
import dev.outbox.Delivery;
import dev.outbox.RetryPolicy;
import dev.outbox.TopicSettings;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Consumer;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;

/** What several messages in flight do when one fails at the worst moment; no server is there. */
class OrderTest {
    private final List<Mock> made = new ArrayList<>();
    private Runnable whileClosing = () -> {};
    private Consumer<Delivery<String>> whileNaming = delivery -> {};

    @Test
    void aMessageThatComesWhileTheProducerEndsDoesNotGoToTheNext() {
        try (KafkaPublisher<String> publisher = publisher()) {
            CompletableFuture<?> first = publish(publisher, 0, "1");
            List<CompletableFuture<?>> later = new ArrayList<>();
            whileClosing = () -> later.add(publish(publisher, 0, "2"));
            made.get(0).errorNext(new TimeoutException("t"));
            assertFailed(first);
            assertFailed(later.get(0));
            send(publisher, 0, "1");
            send(publisher, 0, "2");
            assertEquals(List.of("1", "2"), made.get(1).sent());
        }
    }

    @Test
    void aMessageThatWasLetThroughBeforeAnotherFailedDoesNotGoToTheNextProducer() {
        try (KafkaPublisher<String> publisher = publisher()) {
            CompletableFuture<?> first = publish(publisher, 0, "1");
            whileNaming = delivery -> {
                whileNaming = other -> {};
                made.get(0).errorNext(new TimeoutException("t"));
            };
            assertFailed(publish(publisher, 0, "2"));
            assertFailed(first);
            send(publisher, 0, "1");
            assertEquals(List.of("1"), made.get(1).sent());
        }
    }

    @Test
    void whatAProducerDropsComesFirstInEveryPartition() {
        try (KafkaPublisher<String> publisher = publisher()) {
            send(publisher, 0, "1");
            CompletableFuture<?> dropped = publish(publisher, 7, "a");
            made.get(0).errorNext(new TimeoutException("t"));
            assertTrue(!dropped.isDone(), "the producer has not said yet that it drops a");
            assertFailed(publish(publisher, 7, "b"));
            made.get(0).errorNext(new IllegalStateException("dropped"));
            assertFailed(dropped);
            send(publisher, 7, "a");
            send(publisher, 7, "b");
            assertEquals(List.of("a", "b"), made.get(1).sent());
        }
    }

    private KafkaPublisher<String> publisher() {
        KafkaPublisher<String> publisher = KafkaPublisher.<String>builder(Map.of("bootstrap.servers", "127.0.0.1:1"))
                .producers(settings -> {
                    Mock mock = new Mock();
                    made.add(mock);
                    return mock;
                })
                .topic(delivery -> {
                    whileNaming.accept(delivery);
                    return "orders";
                })
                .build();
        publisher.check(new TopicSettings("orders", 8, 20, Duration.ofMinutes(1), RetryPolicy.defaults()));
        return publisher;
    }

    private static CompletableFuture<?> publish(KafkaPublisher<String> publisher, int partition, String text) {
        byte[] payload = text.getBytes(StandardCharsets.UTF_8);
        return publisher
                .publish(new Delivery<>(text, text, "orders", partition, "key", Map.of(), payload, 1, Instant.EPOCH))
                .toCompletableFuture();
    }

    private static void send(KafkaPublisher<String> publisher, int partition, String text) {
        assertTrue(!publish(publisher, partition, text).isDone(), "nothing refuses " + text);
    }

    private static void assertFailed(CompletableFuture<?> answer) {
        assertTrue(answer.isDone(), "there is an answer");
        CompletionException failed = assertThrows(CompletionException.class, answer::join);
        assertTrue(failed.getCause() instanceof BrokerUnavailableException, failed.toString());
    }

    /** Answers when it is told to. */
    private final class Mock extends MockProducer<byte[], byte[]> {
        Mock() {
            super(false, null, new ByteArraySerializer(), new ByteArraySerializer());
        }

        @Override
        public void close(Duration timeout) {
            super.close(timeout);
            Runnable action = whileClosing;
            whileClosing = () -> {};
            action.run();
        }

        List<String> sent() {
            return history().stream()
                    .map(message -> new String(message.value(), StandardCharsets.UTF_8))
                    .toList();
        }
    }
}
