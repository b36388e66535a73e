package dev.outbox.sqs;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.BrokerUnavailableException;
import dev.outbox.CloudEvents;
import dev.outbox.ConfigurationException;
import dev.outbox.Delivery;
import dev.outbox.OutboxHeaders;
import dev.outbox.PermanentFailureException;
import dev.outbox.Receipt;
import dev.outbox.RetryPolicy;
import dev.outbox.TopicSettings;
import dev.outbox.processes.Await;
import dev.outbox.servers.SqsQueues;
import dev.outbox.servers.SqsServer;
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
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.services.sqs.SqsAsyncClient;
import software.amazon.awssdk.services.sqs.model.Message;
import software.amazon.awssdk.services.sqs.model.MessageSystemAttributeName;

/** What {@link SqsTckTest} does not ask, because it is SQS's own. */
class SqsPublisherTest {
    private final SqsServer server = SqsServer.killable();
    private final SqsQueues queues = new SqsQueues(server.url());
    private final String name = "own-" + UUID.randomUUID() + ".fifo";
    private final List<SqsPublisher<String>> opened = new ArrayList<>();
    private int made;

    SqsPublisherTest() {
        queues.create(name);
    }

    @AfterEach
    void close() {
        opened.forEach(SqsPublisher::close);
        server.network().heal();
        queues.close();
    }

    private SqsPublisher.Builder<String> builder() {
        return SqsPublisher.<String>builder(SqsQueues.client(server.proxied()))
                .queue(name)
                .sendTimeout(Duration.ofSeconds(30));
    }

    private SqsPublisher<String> open(SqsPublisher.Builder<String> builder) {
        SqsPublisher<String> publisher = builder.build();
        opened.add(publisher);
        return publisher;
    }

    private Delivery<String> message(byte[] payload, @Nullable String key, Map<String, String> headers) {
        return new Delivery<>(
                new String(payload, StandardCharsets.UTF_8),
                "id-" + ++made,
                "orders",
                3,
                key,
                headers,
                payload,
                1,
                Instant.parse("2026-07-01T12:00:00Z"));
    }

    private Delivery<String> message(String text) {
        return message(text.getBytes(StandardCharsets.UTF_8), "alice", Map.of());
    }

    static CompletableFuture<Receipt> start(SqsPublisher<String> publisher, Delivery<String> delivery) {
        try {
            return publisher.publish(delivery).toCompletableFuture();
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private static Receipt taken(CompletableFuture<Receipt> answer) throws Exception {
        return answer.get(2, TimeUnit.MINUTES);
    }

    static Throwable failure(CompletableFuture<Receipt> answer) {
        Throwable cause = assertThrows(ExecutionException.class, () -> answer.get(2, TimeUnit.MINUTES))
                .getCause();
        assertNotNull(cause);
        return cause;
    }

    static void failsWith(Class<? extends Throwable> type, String text, CompletableFuture<Receipt> answer) {
        Throwable failure = failure(answer);
        assertInstanceOf(type, failure);
        assertTrue(String.valueOf(failure.getMessage()).contains(text), failure.toString());
    }

    private List<String> texts() {
        return queues.received(name).stream().map(Message::body).toList();
    }

    private static Map<String, String> attributes(Message message) {
        return message.messageAttributes().entrySet().stream()
                .collect(Collectors.toMap(
                        Map.Entry::getKey, attribute -> attribute.getValue().stringValue()));
    }

    // What is said when it is built.

    private static String refusal(SqsPublisher.Builder<String> builder) throws Exception {
        return String.valueOf(AnswersTest.refusal(builder).getMessage());
    }

    @Test
    void aWrongSetUpIsToldWhenThePublisherIsBuilt() throws Exception {
        String missing = "gone-" + UUID.randomUUID() + ".fifo";
        String refused = refusal(builder().queue(missing));
        assertTrue(refused.contains(missing) && refused.contains("Check that the queue"), refused);
        refused = refusal(builder().queue(queues.url(name).replace("own-", "gone-")));
        assertTrue(refused.contains("Check that the queue"), refused);
        refused = refusal(SqsPublisher.builder(SqsQueues.client(server.url())));
        assertTrue(refused.contains("Builder.queue"), refused);
        refused = refusal(builder().queue("orders"));
        assertTrue(refused.contains("Builder.standardQueue"), refused);
        refused = refusal(builder().standardQueue());
        assertTrue(refused.contains("is a FIFO queue"), refused);
        ConfigurationException secret = assertThrows(
                ConfigurationException.class, () -> builder().queue("https://user:s3cret@sqs.example/1/orders.fifo"));
        assertFalse(secret.toString().contains("s3cret"), secret.toString());
        assertThrows(ConfigurationException.class, () -> builder().sendTimeout(Duration.ofMillis(99)));
        assertThrows(ConfigurationException.class, () -> builder().sendTimeout(Duration.ofSeconds(121)));
    }

    @Test
    void anSqsThatIsAwayIsNoReasonNotToStart() throws Exception {
        server.network().refuse();
        SqsPublisher<String> publisher = open(builder().sendTimeout(Duration.ofSeconds(2)));
        failsWith(BrokerUnavailableException.class, name, start(publisher, message("away")));
        server.network().heal();
        Delivery<String> there = message("there");
        Await.until(
                "it is taken",
                () -> !start(publisher, there)
                        .handle((receipt, thrown) -> thrown)
                        .thenApply(thrown -> thrown != null)
                        .get(2, TimeUnit.MINUTES));
        assertEquals(List.of("there"), texts());
    }

    @Test
    void aQueueIsNamedByItsUrl() throws Exception {
        taken(start(open(builder().queue(queues.url(name))), message("by URL")));
        assertEquals(List.of("by URL"), texts());
    }

    @Test
    void aClientOfTheApplicationStaysOpen() throws Exception {
        try (SqsAsyncClient client = SqsQueues.client(server.url()).build()) {
            for (String text : List.of("a", "b")) {
                try (SqsPublisher<String> publisher =
                        SqsPublisher.<String>over(client).queue(name).build()) {
                    taken(start(publisher, message(text)));
                }
            }
        }
        assertEquals(List.of("a", "b"), texts());
    }

    // Topics.

    private static TopicSettings topic(String name, Duration maxDelay) {
        return new TopicSettings(
                name, 16, 1, Duration.ofMinutes(1), RetryPolicy.defaults().withMaxDelay(maxDelay));
    }

    private static void refuses(SqsPublisher<String> publisher, TopicSettings topic, String text) {
        ConfigurationException refused =
                assertThrows(ConfigurationException.class, () -> publisher.check(topic), "a topic that is not fit");
        assertTrue(String.valueOf(refused.getMessage()).contains(text), refused.toString());
    }

    @Test
    void aTopicThatTheQueueCannotServeIsRefused() {
        Duration half = Duration.ofSeconds(150);
        SqsPublisher<String> strict = open(builder());
        strict.check(topic("orders", half));
        refuses(strict, topic("orders", half.plusSeconds(1)), "RetryPolicy.withMaxDelay of PT2M30S or less");
        refuses(strict, topic("o".repeat(126), half), "o/15");
        strict.check(topic("o".repeat(125), half));
        open(builder().acceptDuplicates()).check(topic("orders", half.plusSeconds(1)));
        open(builder().messageGroup(Delivery::topic)).check(topic("o".repeat(126), half));
        String standard = "standard-" + UUID.randomUUID();
        queues.create(standard);
        open(builder().queue(standard).standardQueue()).check(topic("o".repeat(126), half.plusSeconds(1)));
    }

    // What a message becomes.

    @Test
    void aTextIsTheBodyAndOtherBytesAreInBase64() throws Exception {
        SqsPublisher<String> publisher = open(builder());
        List<byte[]> payloads = List.of(
                "{\"city\": \"münchen 東京 😀\",\r\n\t\"b\" : 1.0}".getBytes(StandardCharsets.UTF_8),
                new byte[] {1, 2, 3},
                new byte[] {(byte) 0xC0, (byte) 0x80},
                "\uFFFE".getBytes(StandardCharsets.UTF_8),
                new byte[0],
                "-".getBytes(StandardCharsets.UTF_8));
        for (byte[] payload : payloads) {
            taken(start(publisher, message(payload, null, Map.of())));
        }
        List<Message> received = queues.received(name);
        for (int i = 0; i < payloads.size(); i++) {
            assertArrayEquals(payloads.get(i), SqsMessages.payload(received.get(i)), "payload " + i);
        }
        assertEquals(
                new String(payloads.get(0), StandardCharsets.UTF_8),
                received.get(0).body());
        assertEquals(
                List.of("none", "base64", "base64", "base64", "empty", "none"),
                received.stream()
                        .map(message -> attributes(message).getOrDefault(SqsMessages.ENCODING, "none"))
                        .toList());
        assertEquals(Map.of("outbox-id", "id-1", "outbox-topic", "orders"), attributes(received.get(0)));
    }

    @Test
    void headersThatAreNoAttributesShareOne() throws Exception {
        Map<String, String> odd = Map.of(
                "empty",
                "",
                "a name",
                "with a blank",
                "AWS.trace",
                "reserved",
                "a..b",
                "dots",
                "control",
                "\u0001",
                "signs",
                "a=b&c=d %41+ü",
                "outbox-encoding",
                "gzip",
                "outbox-headers",
                "mine",
                "n".repeat(257),
                "long");
        taken(start(open(builder()), message("odd".getBytes(StandardCharsets.UTF_8), "", odd)));
        Message message = queues.received(name).get(0);
        assertEquals("odd", new String(SqsMessages.payload(message), StandardCharsets.UTF_8));
        Map<String, String> expected = new HashMap<>(odd);
        expected.putAll(Map.of("outbox-id", "id-1", "outbox-topic", "orders", "outbox-key", ""));
        assertEquals(expected, SqsMessages.headers(message));
        Map<String, String> attributes = attributes(message);
        assertEquals("a=b&c=d %41+ü", attributes.get("signs"));
        assertEquals(4, attributes.size(), attributes.toString());
    }

    @Test
    void tenAttributesAreFilledInTheirOrder() throws Exception {
        CloudEvents<String> events =
                CloudEvents.<String>from("/shop").subject(text -> "a").withPartitionKey();
        Map<String, String> headers = new HashMap<>();
        headers.put(OutboxHeaders.CONTENT_TYPE, "text/plain");
        headers.put(OutboxHeaders.TRACEPARENT, "00-1-2-01");
        headers.put("tenant", "t");
        SqsPublisher<String> publisher = open(builder().cloudEvents(events));
        taken(start(publisher, message("paid".getBytes(StandardCharsets.UTF_8), "alice", headers)));
        Message message = queues.received(name).get(0);
        Map<String, String> expected = new HashMap<>(Map.of(
                "outbox-id", "id-1",
                "ce-specversion", "1.0",
                "ce-id", "id-1",
                "ce-source", "/shop",
                "ce-type", "orders",
                "ce-time", "2026-07-01T12:00:00Z",
                "ce-subject", "a",
                "ce-partitionkey", "alice",
                "content-type", "text/plain"));
        Map<String, String> packed = new HashMap<>(attributes(message));
        assertEquals(
                "outbox-key=alice&outbox-topic=orders&tenant=t&traceparent=00-1-2-01",
                packed.remove(SqsMessages.HEADERS));
        assertEquals(expected, packed);
        expected.putAll(Map.of("outbox-key", "alice", "outbox-topic", "orders"));
        expected.putAll(headers);
        assertEquals(expected, SqsMessages.headers(message));
    }

    @Test
    void aPartitionIsAGroupUnlessTheApplicationSaysOtherwise() throws Exception {
        taken(start(open(builder()), message("default")));
        SqsPublisher<String> byText = open(builder().messageGroup(delivery -> delivery.message()));
        taken(start(byText, message("own")));
        for (String group : List.of("a blank", "ü", "", "x".repeat(129))) {
            failsWith(PermanentFailureException.class, "message group", start(byText, message(group)));
        }
        assertEquals(
                List.of("orders/3", "own"),
                queues.received(name).stream()
                        .map(message -> message.attributes().get(MessageSystemAttributeName.MESSAGE_GROUP_ID))
                        .toList());
    }

    @Test
    void aTokenIsTheNameOfAGroup() {
        assertEquals("alice/1:~", SqsPublisher.token("alice/1:~"));
        assertEquals("a%20%25%C3%BC", SqsPublisher.token("a %ü"));
        assertEquals("%", SqsPublisher.token(""));
        assertEquals("x".repeat(128), SqsPublisher.token("x".repeat(128)));
        String hashed = SqsPublisher.token("x".repeat(129));
        assertTrue(hashed.matches("%sha-256:[0-9A-F]{64}"), hashed);
        assertFalse(hashed.equals(SqsPublisher.token("x".repeat(130))), hashed);
    }

    @Test
    void aStandardQueueGetsNeitherGroupNorDeduplicationId() throws Exception {
        String standard = "standard-" + UUID.randomUUID();
        queues.create(standard);
        Delivery<String> delivery = message("twice");
        SqsPublisher<String> publisher = open(builder().queue(standard).standardQueue());
        taken(start(publisher, delivery));
        taken(start(publisher, delivery));
        List<Message> received = queues.received(standard);
        assertEquals(
                List.of("twice", "twice"), received.stream().map(Message::body).toList());
        assertNull(received.get(0).attributes().get(MessageSystemAttributeName.MESSAGE_GROUP_ID));
        assertEquals("id-1", SqsMessages.headers(received.get(0)).get(OutboxHeaders.ID));
    }

    @Test
    void theQueueDropsADuplicate() throws Exception {
        SqsPublisher<String> publisher = open(builder());
        Delivery<String> delivery = message("once");
        Receipt first = taken(start(publisher, delivery));
        assertEquals(first, taken(start(publisher, delivery)));
        List<Message> received = queues.received(name);
        assertEquals(1, received.size());
        assertEquals(first.id(), received.get(0).messageId());
    }

    // What goes wrong.

    @Test
    void whatSqsHasNoPlaceForIsRefusedAndHindersNothing() throws Exception {
        SqsPublisher<String> publisher = open(builder());
        List<CompletableFuture<Receipt>> answers = List.of(
                start(publisher, message("before")),
                start(publisher, message("s".repeat(1_048_576))),
                start(publisher, message("after")));
        failsWith(PermanentFailureException.class, "takes 1048576", answers.get(1));
        taken(answers.get(0));
        taken(answers.get(2));
        assertEquals(List.of("before", "after"), texts());
    }

    /** The relay may start a message while the failure of an earlier one is on its way to it. */
    @Test
    void noMessageOvertakesOneThatHasFailed() throws Exception {
        SqsPublisher<String> publisher = open(builder());
        taken(start(publisher, message("before")));
        server.network().stall();
        Delivery<String> first = message("first");
        Delivery<String> second = message("second");
        Delivery<String> third = message("third");
        List<CompletableFuture<Receipt>> lost = List.of(start(publisher, first), start(publisher, second));
        server.network().refuse(); // what was under way is lost
        failsWith(BrokerUnavailableException.class, "has not answered", lost.get(0));
        failsWith(BrokerUnavailableException.class, "message " + first.id() + " of its partition", lost.get(1));
        server.network().heal();
        failsWith(BrokerUnavailableException.class, "an earlier message", start(publisher, third));
        taken(start(publisher, first));
        taken(start(publisher, second));
        taken(start(publisher, third));
        assertEquals(List.of("before", "first", "second", "third"), texts());
    }
}
