package dev.outbox.nats;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.BrokerUnavailableException;
import dev.outbox.ConfigurationException;
import dev.outbox.Delivery;
import dev.outbox.PermanentFailureException;
import io.nats.client.Connection;
import io.nats.client.JetStream;
import io.nats.client.JetStreamOptions;
import io.nats.client.Options;
import io.nats.client.ServerPool;
import io.nats.client.impl.Headers;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What is refused, and what a connection does that is about to end; no server is there. */
class LimitsTest {
    @Test
    void optionsThatDiscardMessagesAreRefused() {
        Options options =
                new Options.Builder().discardMessagesWhenOutgoingQueueFull().build();
        ConfigurationException refused =
                assertThrows(ConfigurationException.class, () -> NatsPublisher.builder(options));
        assertTrue(refused.toString().contains("discardMessagesWhenOutgoingQueueFull"), refused.toString());
    }

    @Test
    void headersThatNatsHasNoRoomForAreRefused() {
        Messages<String> messages = new Messages<>(delivery -> "orders", null);
        assertEquals("id", messages.of(delivery("x".repeat(60_000))).id());
        PermanentFailureException refused =
                assertThrows(PermanentFailureException.class, () -> messages.of(delivery("x".repeat(65_000))));
        assertTrue(refused.toString().contains("headers"), refused.toString());
    }

    @Test
    void aConnectionThatIsBeingClosedTakesNothingAndAnswersTheOthersAtItsEnd() {
        List<String> sent = new ArrayList<>();
        List<String> failed = new ArrayList<>();
        Connection connection = proxy(Connection.class, sent);
        JetStream jetStream = proxy(JetStream.class, sent);
        Errors errors = new Errors("here");
        Link link = new Link(
                connection, jetStream, "ORDERS", errors, pending -> failed.add(pending.message.id()), new AtomicLong());
        Pending first = pending("1");
        link.publish(first);
        link.condemn(pending -> errors.away("is late", null));
        Pending second = pending("2");
        link.publish(second);
        assertTrue(second.answer.isDone(), "the second message has an answer");
        CompletionException refused = assertThrows(CompletionException.class, second.answer::join);
        assertTrue(refused.getCause() instanceof BrokerUnavailableException, refused.toString());
        assertTrue(!first.answer.isDone(), "the client may still write the first message");
        assertTrue(!link.isOpen(), "it is about to end");
        link.end(pending -> errors.away("is late", null));
        assertTrue(first.answer.isCompletedExceptionally(), "the first message has an answer");
        assertEquals(List.of("publishAsync"), sent);
        assertEquals(List.of("2", "1"), failed);
    }

    @Test
    void messagesFailInTheirOrderBecauseTheFirstOfAPartitionMustComeAgainFirst() {
        Errors errors = new Errors("here");
        failInOrder(link -> link.end(pending -> errors.away("is late", null)));
        failInOrder(link -> link.failSubject("orders", "refused a message"));
    }

    private static void failInOrder(Consumer<Link> end) {
        List<String> failed = new ArrayList<>();
        List<CompletableFuture<?>> answers = new ArrayList<>();
        JetStream jetStream = (JetStream) Proxy.newProxyInstance(
                LimitsTest.class.getClassLoader(), new Class<?>[] {JetStream.class}, (proxy, method, arguments) -> {
                    CompletableFuture<?> answer = new CompletableFuture<>();
                    answers.add(answer);
                    return answer;
                });
        Link link = new Link(
                proxy(Connection.class, new ArrayList<>()),
                jetStream,
                "ORDERS",
                new Errors("here"),
                pending -> failed.add(pending.message.id()),
                new AtomicLong());
        List<String> ids = IntStream.range(0, 70).mapToObj(Integer::toString).toList();
        for (String id : ids.subList(0, 58)) {
            link.publish(pending(id));
            answers.remove(0).completeExceptionally(new IllegalStateException("refused"));
        }
        ids.subList(58, 70).forEach(id -> link.publish(pending(id)));
        end.accept(link);
        assertEquals(ids, failed);
    }

    @Test
    void anExceptionOfTheClientWhileConnectingIsAnOutage() {
        Options options = new Options.Builder()
                .serverPool((ServerPool) Proxy.newProxyInstance(
                        LimitsTest.class.getClassLoader(),
                        new Class<?>[] {ServerPool.class},
                        (proxy, method, arguments) -> {
                            throw new IllegalStateException("no server is known for now");
                        }))
                .build();
        Connector connector = new Connector(
                options,
                Duration.ofSeconds(30),
                JetStreamOptions.defaultOptions(),
                "ORDERS",
                new Errors("here"),
                pending -> {},
                new AtomicLong(),
                configuration -> {});
        assertThrows(BrokerUnavailableException.class, connector::get);
        assertThrows(BrokerUnavailableException.class, connector::get, "within the pause");
    }

    private static <C> C proxy(Class<C> type, List<String> calls) {
        return type.cast(Proxy.newProxyInstance(
                LimitsTest.class.getClassLoader(), new Class<?>[] {type}, (proxy, method, arguments) -> {
                    if (method.getName().equals("getStatus")) {
                        return Connection.Status.CONNECTED;
                    }
                    calls.add(method.getName());
                    return new CompletableFuture<>();
                }));
    }

    private static Pending pending(String id) {
        return new Pending(new Outgoing(id, "orders/0", "orders", new Headers(), new byte[0]), 0);
    }

    private static Delivery<String> delivery(String header) {
        return new Delivery<>("m", "id", "orders", 0, "key", Map.of("h", header), new byte[0], 1, Instant.EPOCH);
    }
}
