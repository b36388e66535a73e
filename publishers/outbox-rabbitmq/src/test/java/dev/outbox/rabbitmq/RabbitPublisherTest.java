package dev.outbox.rabbitmq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.GetResponse;
import dev.outbox.BrokerUnavailableException;
import dev.outbox.CloudEvents;
import dev.outbox.ConfigurationException;
import dev.outbox.Delivery;
import dev.outbox.OutboxHeaders;
import dev.outbox.PermanentFailureException;
import dev.outbox.Receipt;
import dev.outbox.processes.Await;
import dev.outbox.servers.RabbitServer;
import dev.outbox.servers.TcpProxy;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What {@link RabbitTckTest} does not ask, because it is RabbitMQ's own. */
@Tag("rabbitmq")
class RabbitPublisherTest {
    private static final AtomicInteger NUMBER = new AtomicInteger();

    private final RabbitServer server = RabbitServer.killable();
    private final String name = "own-" + NUMBER.incrementAndGet();
    private final List<RabbitPublisher<String>> opened = new ArrayList<>();
    private Connection connection;
    private Channel channel;
    private int made;

    @BeforeEach
    void connect() throws Exception {
        ConnectionFactory factory = new ConnectionFactory();
        factory.setUri(server.url());
        connection = factory.newConnection();
        channel = connection.createChannel();
        channel.exchangeDeclare(name, "direct", true);
        channel.queueDeclare(name, true, false, false, Map.of());
        channel.queueBind(name, name, "orders");
    }

    @AfterEach
    void close() throws Exception {
        opened.forEach(RabbitPublisher::close);
        if (channel.isOpen()) {
            channel.exchangeDelete(name);
            channel.queueDelete(name);
        }
        connection.close();
    }

    private RabbitPublisher.Builder<String> builder() {
        return RabbitPublisher.<String>builder(server.url()).exchange(name).confirmTimeout(Duration.ofSeconds(10));
    }

    private RabbitPublisher<String> open(RabbitPublisher.Builder<String> builder) {
        RabbitPublisher<String> publisher = builder.build();
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

    private static CompletableFuture<Receipt> start(RabbitPublisher<String> publisher, Delivery<String> delivery) {
        try {
            return publisher.publish(delivery).toCompletableFuture();
        } catch (RuntimeException e) {
            return CompletableFuture.failedFuture(e);
        }
    }

    private static void taken(CompletableFuture<Receipt> answer) throws Exception {
        assertEquals(Receipt.taken(), answer.get(2, TimeUnit.MINUTES));
    }

    private void awaitTaken(RabbitPublisher<String> publisher, String text) throws Exception {
        Await.until("a message is taken", () -> {
            CompletableFuture<Receipt> next = start(publisher, message(text));
            return next.handle((receipt, failure) -> failure == null).get(2, TimeUnit.MINUTES);
        });
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

    private List<String> received() throws IOException {
        List<String> all = new ArrayList<>();
        for (GetResponse got = channel.basicGet(name, true); got != null; got = channel.basicGet(name, true)) {
            all.add(new String(got.getBody(), StandardCharsets.UTF_8));
        }
        return all;
    }

    // What is said when it is built.

    @Test
    @SuppressWarnings("deprecation") // the client allows it still
    void aFactoryThatUsesNioIsRefused() throws Exception {
        ConnectionFactory factory = new ConnectionFactory();
        factory.setUri(server.url());
        factory.useNio();
        String refused = refusal(RabbitPublisher.<String>builder(factory).exchange(name));
        assertTrue(refused.contains("uses blocking I/O: neither NIO nor Netty"), refused);
    }

    /** A publisher that is not answered in time is built, and then the next one asks. */
    private static String refusal(RabbitPublisher.Builder<String> builder) throws Exception {
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
        String wrongPassword = server.url().replace("guest:guest", "guest:s3cret");
        String refused = refusal(RabbitPublisher.<String>builder(wrongPassword).exchange(name));
        assertTrue(refused.contains("ACCESS_REFUSED") && refused.contains("Check the user"), refused);
        refused = refusal(builder().exchange("not-there"));
        assertTrue(refused.contains("no exchange 'not-there'") && refused.contains("Check the exchange"), refused);
        refused = refusal(RabbitPublisher.<String>builder(server.url().replace("%2F", "no-host"))
                .exchange(name));
        assertTrue(refused.contains("vhost no-host not found"), refused);
        refused = refusal(RabbitPublisher.builder(server.url()));
        assertTrue(refused.contains("Builder.exchange"), refused);
        ConfigurationException noUri =
                assertThrows(ConfigurationException.class, () -> RabbitPublisher.builder("http://user:s3cret@host:x/"));
        assertFalse(noUri.toString().contains("s3cret"), noUri.toString());
        assertEquals(null, noUri.getCause());
        assertThrows(ConfigurationException.class, () -> builder().channels(0));
        assertThrows(ConfigurationException.class, () -> builder().maxMessageSize(0));
        assertThrows(ConfigurationException.class, () -> builder().confirmTimeout(Duration.ofMillis(99)));
    }

    @Test
    void aBrokerThatIsAwayIsNoReasonNotToStart() throws Exception {
        try (TcpProxy proxy = TcpProxy.before(server.url())) {
            proxy.refuse();
            RabbitPublisher<String> publisher = open(
                    RabbitPublisher.<String>builder(proxy.route(server.url())).exchange(name));
            failsWith(BrokerUnavailableException.class, "cannot be connected to", start(publisher, message("away")));
            proxy.heal();
            awaitTaken(publisher, "there");
            assertEquals(Set.of("there"), Set.copyOf(received())); // once more if a confirm was late
        }
    }

    // Messages that no queue takes.

    @Test
    void whatNoQueueTakesFailsUnlessTheApplicationSaysOtherwise() throws Exception {
        RabbitPublisher.Builder<String> elsewhere = builder().routingKey(delivery -> "nowhere");
        failsWith(
                BrokerUnavailableException.class,
                "routes it to no queue by key 'nowhere' (312 NO_ROUTE)",
                start(open(elsewhere), message("a")));
        failsWith(
                PermanentFailureException.class,
                "routes it to no queue",
                start(open(elsewhere.unroutable(Unroutable.REFUSE)), message("b")));
        taken(start(open(elsewhere.unroutable(Unroutable.DROP)), message("c")));
        assertEquals(List.of(), received());
    }

    /** Some of many are returned: each answer is that of its own message. */
    @Test
    void aReturnIsMatchedWithItsMessage() throws Exception {
        RabbitPublisher<String> publisher =
                open(builder().routingKey(delivery -> made(delivery) % 3 == 0 ? "nowhere" : "orders"));
        List<Delivery<String>> messages = new ArrayList<>();
        List<CompletableFuture<Receipt>> answers = new ArrayList<>();
        for (int i = 0; i < 90; i++) {
            Delivery<String> each = message("m" + i);
            messages.add(new Delivery<>(
                    each.message(),
                    each.id(),
                    each.topic(),
                    i, // else the failure of one lets its partition wait
                    each.key(),
                    each.headers(),
                    each.payload(),
                    1,
                    each.createdAt()));
            answers.add(start(publisher, messages.get(i)));
        }
        for (int i = 0; i < 90; i++) {
            if (made(messages.get(i)) % 3 == 0) {
                assertInstanceOf(BrokerUnavailableException.class, failure(answers.get(i)));
            } else {
                taken(answers.get(i));
            }
        }
        assertEquals(60, received().size());
    }

    private static int made(Delivery<String> delivery) {
        return Integer.parseInt(delivery.id().substring("id-".length()));
    }

    // What a message becomes.

    @Test
    void propertiesAndCloudEvents() throws Exception {
        CloudEvents<String> events = CloudEvents.<String>from("/shop").type(text -> "shop." + text);
        taken(start(
                open(builder().cloudEvents(events, "cloudEvents_")),
                message("paid", Map.of(OutboxHeaders.CONTENT_TYPE, "text/plain", "tenant", "münchen"))));
        GetResponse got = channel.basicGet(name, true);
        assertEquals("id-1", got.getProps().getMessageId());
        assertEquals("orders", got.getProps().getType());
        assertEquals("text/plain", got.getProps().getContentType());
        assertEquals(2, got.getProps().getDeliveryMode());
        assertEquals(
                Instant.parse("2026-07-01T12:00:00Z"),
                got.getProps().getTimestamp().toInstant());
        Map<String, String> headers = new HashMap<>();
        got.getProps().getHeaders().forEach((header, value) -> headers.put(header, value.toString()));
        assertEquals(
                Map.of(
                        "outbox-id", "id-1",
                        "outbox-topic", "orders",
                        "outbox-key", "alice",
                        "content-type", "text/plain",
                        "tenant", "münchen",
                        "cloudEvents_specversion", "1.0",
                        "cloudEvents_id", "id-1",
                        "cloudEvents_source", "/shop",
                        "cloudEvents_type", "shop.paid",
                        "cloudEvents_time", "2026-07-01T12:00:00Z"),
                headers);
    }

    /** The client would count such a message and not send it, and confirms would be those of other messages. */
    @Test
    void whatAmqpCannotCarryIsRefusedAndHindersNothing() throws Exception {
        RabbitPublisher<String> publisher = open(
                builder().routingKey(delivery -> delivery.message().startsWith("key") ? "k".repeat(256) : "orders"));
        CompletableFuture<Receipt> before = start(publisher, message("before"));
        List<CompletableFuture<Receipt>> refused = List.of(
                start(publisher, message("key")),
                start(publisher, message("name", Map.of("n".repeat(256), "x"))),
                start(publisher, message("headers", Map.of("large", "ü".repeat(65_000)))),
                start(publisher, message("type", Map.of(OutboxHeaders.CONTENT_TYPE, "t".repeat(256)))),
                start(publisher, message("CC", Map.of("CC", "other"))));
        CompletableFuture<Receipt> after = start(publisher, message("after"));
        for (CompletableFuture<Receipt> each : refused) {
            assertInstanceOf(PermanentFailureException.class, failure(each));
        }
        taken(before);
        taken(after);
        assertEquals(List.of("before", "after"), received());
    }

    // What goes wrong on the way.

    @Test
    void aLimitThatOnlyTheBrokerKnowsIsLearned() throws Exception {
        RabbitPublisher<String> publisher = open(builder());
        taken(start(publisher, message("small")));
        Delivery<String> large = message("l".repeat(200_000));
        failsWith(PermanentFailureException.class, "200000 bytes", start(publisher, large));
        // Now the publisher knows. A message that is in flight meanwhile notices nothing.
        CompletableFuture<Receipt> other = start(publisher, large);
        CompletableFuture<Receipt> small = start(publisher, message("small, too"));
        failsWith(PermanentFailureException.class, "takes 150000", other);
        taken(small);
        assertEquals(List.of("small", "small, too"), received());
    }

    @Test
    void anAlarmOfTheBrokerFailsMessagesImmediately() throws Exception {
        RabbitPublisher<String> publisher = open(builder().confirmTimeout(Duration.ofSeconds(2)));
        awaitTaken(publisher, "before"); // a step of connecting has 0.4 seconds
        server.control("set_vm_memory_high_watermark", "0");
        try {
            // The broker says so when it gets the next message, and may have read that already or not.
            CompletableFuture<Receipt> first = start(publisher, message("first"));
            Await.until("the connection is blocked", () -> {
                CompletableFuture<Receipt> next = start(publisher, message("blocked"));
                return next.isCompletedExceptionally()
                        && String.valueOf(failure(next).getMessage()).contains("connection.blocked");
            });
            assertInstanceOf(BrokerUnavailableException.class, failure(first));
        } finally {
            server.control("set_vm_memory_high_watermark", "0.4");
        }
        awaitTaken(publisher, "after");
    }

    @Test
    void anExchangeThatIsDeletedLaterIsUnavailable() throws Exception {
        RabbitPublisher<String> publisher = open(builder());
        taken(start(publisher, message("before")));
        channel.exchangeDelete(name);
        failsWith(BrokerUnavailableException.class, "404 NOT_FOUND", start(publisher, message("missing")));
        channel.exchangeDeclare(name, "direct", true);
        channel.queueBind(name, name, "orders");
        awaitTaken(publisher, "after");
    }

    /** The relay may start a message while the failure of an earlier one is on its way to it. */
    @Test
    void noMessageOvertakesThoseThatFailedWithTheirChannel() throws Exception {
        try (TcpProxy proxy = TcpProxy.before(server.url())) {
            RabbitPublisher<String> publisher = open(RabbitPublisher.<String>builder(proxy.route(server.url()))
                    .exchange(name)
                    .confirmTimeout(Duration.ofSeconds(10)));
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
