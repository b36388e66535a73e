package dev.outbox.nats;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.BrokerUnavailableException;
import dev.outbox.CloudEvents;
import dev.outbox.Codec;
import dev.outbox.ConfigurationException;
import dev.outbox.Delivery;
import dev.outbox.OutboxHeaders;
import dev.outbox.PermanentFailureException;
import dev.outbox.Receipt;
import dev.outbox.RetryPolicy;
import dev.outbox.Topic;
import dev.outbox.TopicSettings;
import dev.outbox.processes.Await;
import dev.outbox.servers.NatsServer;
import dev.outbox.servers.TcpProxy;
import io.nats.client.Connection;
import io.nats.client.JetStreamManagement;
import io.nats.client.JetStreamOptions;
import io.nats.client.Message;
import io.nats.client.Nats;
import io.nats.client.PullSubscribeOptions;
import io.nats.client.api.StreamConfiguration;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What {@link NatsTckTest} does not ask, because it is NATS's own. */
@Tag("nats")
class NatsPublisherTest {
    private static final AtomicInteger NUMBER = new AtomicInteger();

    private final NatsServer server = NatsServer.shared();
    private final String name = "own-" + NUMBER.incrementAndGet();
    private final List<NatsPublisher<String>> opened = new ArrayList<>();
    private Connection connection;
    private JetStreamManagement streams;
    private int made;

    @BeforeEach
    void connect() throws Exception {
        connection = Nats.connect(server.url());
        streams = connection.jetStreamManagement();
        streams.addStream(stream(name).maximumMessageSize(100_000).build());
    }

    private static StreamConfiguration.Builder stream(String name) {
        return StreamConfiguration.builder().name(name).subjects(name + ".*");
    }

    @AfterEach
    void close() throws Exception {
        opened.forEach(NatsPublisher::close);
        streams.deleteStream(name);
        connection.close();
    }

    private NatsPublisher.Builder<String> builder() {
        return NatsPublisher.<String>builder(server.url()).stream(name)
                .subject(name + ".orders")
                .ackTimeout(Duration.ofSeconds(10));
    }

    private NatsPublisher<String> open(NatsPublisher.Builder<String> builder) {
        NatsPublisher<String> publisher = builder.build();
        opened.add(publisher);
        return publisher;
    }

    private Delivery<String> message(String text, Map<String, String> headers) {
        return new Delivery<>(
                text,
                "id-" + ++made,
                "orders",
                0,
                "alice",
                headers,
                text.getBytes(StandardCharsets.UTF_8),
                1,
                Instant.parse("2026-07-01T12:00:00Z"));
    }

    private Delivery<String> message(String text) {
        return message(text, Map.of());
    }

    private static CompletableFuture<Receipt> start(NatsPublisher<String> publisher, Delivery<String> delivery) {
        try {
            return publisher.publish(delivery).toCompletableFuture();
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private static Receipt taken(CompletableFuture<Receipt> answer) throws Exception {
        return answer.get(2, TimeUnit.MINUTES);
    }

    private static Throwable failure(CompletableFuture<Receipt> answer) {
        Throwable cause = assertThrows(ExecutionException.class, () -> answer.get(2, TimeUnit.MINUTES))
                .getCause();
        assertNotNull(cause);
        return cause;
    }

    private static void failsWith(Class<? extends Throwable> type, String text, CompletableFuture<Receipt> answer) {
        Throwable failure = failure(answer);
        assertInstanceOf(type, failure);
        assertTrue(String.valueOf(failure.getMessage()).contains(text), failure.toString());
    }

    private List<String> received() throws Exception {
        List<String> all = new ArrayList<>();
        long last = streams.getStreamInfo(name).getStreamState().getLastSequence();
        for (long i = 1; i <= last; i++) {
            byte[] data = streams.getMessage(name, i).getData();
            all.add(data == null ? "" : new String(data, StandardCharsets.UTF_8));
        }
        return all;
    }

    // What is said when it is built.

    /** A publisher that is not answered in time is built, and then the next one asks. */
    private static String refusal(NatsPublisher.Builder<String> builder) throws Exception {
        ConfigurationException refused = Await.refusal(ConfigurationException.class, builder::build);
        StringBuilder all = new StringBuilder();
        for (@Nullable Throwable part = refused; part != null; part = part.getCause()) {
            all.append(part).append('\n');
        }
        assertFalse(all.toString().contains("s3cret"), all.toString());
        return String.valueOf(refused.getMessage());
    }

    @Test
    void aWrongSetUpIsToldWhenThePublisherIsBuilt() throws Exception {
        String refused = refusal(builder().stream("not-there"));
        assertTrue(
                refused.contains("stream not found") && refused.contains("Check that the stream not-there"), refused);
        refused = refusal(builder().subject("elsewhere.orders"));
        assertTrue(refused.contains("takes the subjects [" + name + ".*], and not 'elsewhere.orders'"), refused);
        refused = refusal(NatsPublisher.builder(server.url()));
        assertTrue(refused.contains("Builder.stream"), refused);
        streams.addStream(stream("silent").subjects("silent").noAck(true).build());
        refused = refusal(builder().stream("silent").subject("silent"));
        assertTrue(refused.contains("no_ack"), refused);
        streams.deleteStream("silent");
        ConfigurationException noUrl = assertThrows(
                ConfigurationException.class, () -> NatsPublisher.builder("nats://user:s3cret@host:port:x"));
        assertFalse(noUrl.toString().contains("s3cret"), noUrl.toString());
        assertEquals(null, noUrl.getCause());
        assertThrows(ConfigurationException.class, () -> builder().ackTimeout(Duration.ofMillis(99)));
        for (String subject : List.of("", "a..b", ".a", "a.", "a.*", "a.>", "a b", "ä")) {
            assertThrows(ConfigurationException.class, () -> builder().subject(subject), subject);
        }
        JetStreamOptions silent = JetStreamOptions.builder().publishNoAck(true).build();
        assertThrows(ConfigurationException.class, () -> builder().jetStream(silent));
    }

    @Test
    void aWrongPasswordAndAServerWithoutJetStreamAreToldWhenThePublisherIsBuilt() throws Exception {
        try (NatsServer other =
                NatsServer.packaged("jetstream: false", "authorization: { user: app, password: right }")) {
            String url = other.url().replace("//", "//app:s3cret@");
            String refused = refusal(NatsPublisher.<String>builder(url).stream(name));
            assertTrue(refused.contains("Check the user"), refused);
            refused = refusal(NatsPublisher.<String>builder(url.replace("s3cret", "right")).stream(name));
            assertTrue(refused.contains("JetStream is enabled"), refused);
        }
    }

    @Test
    void aServerThatIsAwayIsNoReasonNotToStart() throws Exception {
        try (TcpProxy proxy = TcpProxy.before(server.url())) {
            proxy.refuse();
            String url = proxy.route(server.url()).replace("//", "//app:s3cret@");
            NatsPublisher<String> publisher =
                    open(NatsPublisher.<String>builder(url).stream(name).subject(name + ".orders"));
            CompletableFuture<Receipt> away = start(publisher, message("away"));
            failsWith(BrokerUnavailableException.class, "cannot be used", away);
            for (@Nullable Throwable part = failure(away); part != null; part = part.getCause()) {
                assertFalse(part.toString().contains("s3cret"), part.toString());
            }
            proxy.heal();
            Delivery<String> there = message("there");
            Await.until(
                    "it is taken",
                    () -> start(publisher, there)
                            .handle((receipt, failure) -> failure == null)
                            .get(2, TimeUnit.MINUTES));
            assertEquals(List.of("there"), received());
        }
    }

    @Test
    void whatTheStreamIsNotFitForIsToldWhenItsServerIsBack() throws Exception {
        streams.addStream(stream("silent").subjects("silent").noAck(true).build());
        try (TcpProxy proxy = TcpProxy.before(server.url())) {
            proxy.refuse();
            String url = proxy.route(server.url());
            NatsPublisher<String> unacknowledged =
                    open(NatsPublisher.<String>builder(url).stream("silent").subject("silent"));
            NatsPublisher<String> strict =
                    open(NatsPublisher.<String>builder(url).stream(name).subject(name + ".orders"));
            strict.check(new TopicSettings("orders", 8, 1, Duration.ofMinutes(1), RetryPolicy.defaults()));
            proxy.heal();
            Await.until(
                    "no_ack is told",
                    () -> failure(start(unacknowledged, message("a")))
                            .toString()
                            .contains("no_ack"));
            Await.until(
                    "the duplicate window is told",
                    () -> failure(start(strict, message("b")))
                            .toString()
                            .contains("Expected a duplicate window of PT10M"));
            failsWith(BrokerUnavailableException.class, "Expected a duplicate window", start(strict, message("c")));
            strict.check(new TopicSettings(
                    "orders",
                    8,
                    1,
                    Duration.ofMinutes(1),
                    RetryPolicy.defaults().withMaxDelay(Duration.ofSeconds(10))));
            taken(start(strict, message("d")));
        } finally {
            streams.deleteStream("silent");
        }
    }

    // Duplicates.

    @Test
    void aTopicWhoseTriesTheStreamWouldNotRecogniseIsRefused() {
        Codec<String> codec = new Codec<>() {
            @Override
            public byte[] encode(String message) {
                return message.getBytes(StandardCharsets.UTF_8);
            }

            @Override
            public String decode(byte[] payload) {
                return new String(payload, StandardCharsets.UTF_8);
            }
        };
        NatsPublisher<String> strict = open(builder());
        ConfigurationException refused = assertThrows(
                ConfigurationException.class,
                () -> Topic.builder("orders", codec).asyncPublisher(strict).build());
        assertTrue(
                String.valueOf(refused.getMessage()).contains("for PT2M only. Expected a duplicate window of PT10M"));
        RetryPolicy quick = RetryPolicy.defaults().withMaxDelay(Duration.ofMinutes(1));
        assertEquals(
                quick,
                Topic.builder("orders", codec)
                        .asyncPublisher(strict)
                        .retry(quick)
                        .build()
                        .retry());
        NatsPublisher<String> lenient = open(builder().acceptDuplicates());
        assertEquals(
                "orders",
                Topic.builder("orders", codec).asyncPublisher(lenient).build().name());
    }

    @Test
    void theStreamDropsADuplicateAndThePublisherCountsIt() throws Exception {
        NatsPublisher<String> publisher = open(builder());
        Delivery<String> delivery = message("once");
        Receipt first = taken(start(publisher, delivery));
        assertEquals(0, publisher.duplicates());
        assertEquals(first, taken(start(publisher, delivery)));
        assertEquals(1, publisher.duplicates());
        assertEquals(name + ":1", first.id());
        assertEquals(List.of("once"), received());
    }

    // What a message becomes.

    @Test
    void headersAndCloudEvents() throws Exception {
        CloudEvents<String> events = CloudEvents.<String>from("/shop").subject(text -> "a \"b\" 100% ü");
        Map<String, String> odd = Map.of(
                OutboxHeaders.CONTENT_TYPE,
                "text/plain",
                "city",
                "münchen 東京",
                "lines",
                "a\nb",
                "space",
                " x ",
                "looks-encoded",
                "UTF-8''%41",
                "baggage",
                "user=Am%C3%A9lie, b=c");
        taken(start(open(builder().cloudEvents(events)), message("paid", odd)));
        Message message = connection
                .jetStream()
                .subscribe(
                        name + ".orders",
                        PullSubscribeOptions.builder().stream(name).build())
                .fetch(1, Duration.ofMinutes(1))
                .get(0);
        assertEquals("paid", new String(message.getData(), StandardCharsets.UTF_8));
        assertEquals("a%20%22b%22%20100%25%20%C3%BC", message.getHeaders().getFirst("ce-subject"));
        assertEquals("user=Am%C3%A9lie, b=c", message.getHeaders().getFirst("baggage"));
        Map<String, String> expected = new HashMap<>(odd);
        expected.putAll(Map.of(
                "outbox-id", "id-1",
                "outbox-topic", "orders",
                "outbox-key", "alice",
                "Nats-Msg-Id", "id-1",
                "Nats-Expected-Stream", name,
                "ce-specversion", "1.0",
                "ce-id", "id-1",
                "ce-source", "/shop",
                "ce-type", "orders",
                "ce-time", "2026-07-01T12:00:00Z"));
        expected.put("ce-subject", "a%20%22b%22%20100%25%20%C3%BC");
        expected.put("ce-datacontenttype", "text/plain");
        assertEquals(expected, NatsHeaders.of(message));
    }

    @Test
    void aTokenIsOnePartOfASubject() {
        assertEquals("alice-1_x", NatsPublisher.token("alice-1_x"));
        assertEquals("a%2Eb%2A%3E%20%25%C3%BC", NatsPublisher.token("a.b*> %ü"));
        assertEquals("%", NatsPublisher.token(""));
    }

    // What goes wrong.

    @Test
    void whatNatsHasNoPlaceForIsRefusedAndHindersNothing() throws Exception {
        NatsPublisher<String> publisher = open(
                builder().subject(delivery -> name + "." + (delivery.message().equals("subject") ? "a b" : "orders")));
        CompletableFuture<Receipt> before = start(publisher, message("before"));
        List<CompletableFuture<Receipt>> refused = List.of(
                start(publisher, message("subject")),
                start(publisher, message("header", Map.of("a:b", "x"))),
                start(publisher, message("header", Map.of("ä", "x"))),
                start(publisher, message("rollup", Map.of("Nats-Rollup", "all"))),
                start(publisher, message("s".repeat(100_001))), // than the stream
                start(publisher, message("s".repeat(1_048_577)))); // than the server
        CompletableFuture<Receipt> after = start(publisher, message("after"));
        for (CompletableFuture<Receipt> each : refused) {
            assertInstanceOf(PermanentFailureException.class, failure(each));
        }
        taken(before);
        taken(after);
        assertEquals(List.of("before", "after"), received());
    }

    @Test
    void aMessageThatAnotherStreamWouldTakeFails() throws Exception {
        streams.addStream(stream("other").subjects("other.*").build());
        try {
            failsWith(
                    BrokerUnavailableException.class,
                    "error 10060",
                    start(open(builder().subject(delivery -> "other.orders")), message("lost")));
            assertEquals(0, streams.getStreamInfo("other").getStreamState().getMsgCount());
        } finally {
            streams.deleteStream("other");
        }
        failsWith(
                BrokerUnavailableException.class,
                "503 No Responders",
                start(open(builder().subject(delivery -> "nobody.listens")), message("lost")));
    }

    /** The relay may start a message while the failure of an earlier one is on its way to it. */
    @Test
    void noMessageOvertakesThoseThatFailedWithTheirConnection() throws Exception {
        try (TcpProxy proxy = TcpProxy.before(server.url())) {
            NatsPublisher<String> publisher = open(NatsPublisher.<String>builder(proxy.route(server.url())).stream(name)
                    .subject(name + ".orders")
                    .ackTimeout(Duration.ofSeconds(10)));
            taken(start(publisher, message("before")));
            proxy.stall();
            Delivery<String> first = message("first");
            Delivery<String> second = message("second");
            List<CompletableFuture<Receipt>> lost = List.of(start(publisher, first), start(publisher, second));
            proxy.refuse();
            for (CompletableFuture<Receipt> each : lost) {
                assertInstanceOf(BrokerUnavailableException.class, failure(each));
            }
            proxy.heal();
            Delivery<String> third = message("third");
            Await.until("it is connected, and refuses the third", () -> {
                CompletableFuture<Receipt> tooEarly = start(publisher, third);
                return String.valueOf(failure(tooEarly).getMessage()).contains("earlier message");
            });
            taken(start(publisher, first));
            taken(start(publisher, second));
            taken(start(publisher, third));
            assertEquals(List.of("before", "first", "second", "third"), received());
        }
    }
}
