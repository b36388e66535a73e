package dev.outbox.nats;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.outbox.Delivery;
import dev.outbox.OutboxHeaders;
import dev.outbox.Topic;
import dev.outbox.documents.Snippets;
import dev.outbox.processes.Await;
import dev.outbox.servers.NatsServer;
import io.nats.client.Connection;
import io.nats.client.JetStreamApiException;
import io.nats.client.JetStreamManagement;
import io.nats.client.JetStreamSubscription;
import io.nats.client.Message;
import io.nats.client.Nats;
import io.nats.client.api.DiscardPolicy;
import io.nats.client.api.StreamConfiguration;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The code in {@code docs/NATS.md} is code of this class, and what can be run is run. */
@Tag("nats")
@SuppressWarnings("try") // closing may be interrupted
class NatsDocumentTest {
    record Order(String customer) {}

    /** Stands for the table of a consumer. */
    private interface Inbox {
        boolean firstTime(@Nullable String id);
    }

    @Test
    void everySnippetIsCompiled() throws IOException {
        assertEquals(4, Snippets.compiledBy(getClass(), "NATS.md"));
    }

    @Test
    void theServerIsSetUpAndAConsumerRecognisesADuplicate() throws Exception {
        NatsServer server = NatsServer.shared();
        List<String> done = new ArrayList<>();
        Set<String> known = new HashSet<>(Set.of("1"));
        try (Connection connection = Nats.connect(server.url())) {
            JetStreamManagement streams = connection.jetStreamManagement();
            setUp(streams);
            try (NatsPublisher<String> publisher = NatsPublisher.<String>builder(server.url()).stream("ORDERS")
                    .subject("orders.placed")
                    .build()) {
                JetStreamSubscription subscription = connection.jetStream().subscribe("orders.placed");
                for (String id : List.of("1", "2", "2")) {
                    publisher.publish(message(id)).toCompletableFuture().get(2, TimeUnit.MINUTES);
                }
                Await.until("an order is done", () -> {
                    consume(subscription, known::add, data -> done.add(new String(data, StandardCharsets.UTF_8)));
                    return !done.isEmpty();
                });
            }
            streams.deleteStream("ORDERS");
        }
        assertEquals(List.of("order 2"), done, "the consumer knew the first, and the stream dropped the third");
    }

    private static Delivery<String> message(String id) {
        byte[] payload = ("order " + id).getBytes(StandardCharsets.UTF_8);
        return new Delivery<>("order " + id, id, "orders", 0, null, Map.of(), payload, 1, Instant.EPOCH);
    }

    private static void setUp(JetStreamManagement streams) throws IOException, JetStreamApiException {
        streams.addStream(StreamConfiguration.builder()
                .name("ORDERS")
                .subjects("orders.*")
                .replicas(1) // 3 in a cluster
                .duplicateWindow(Duration.ofMinutes(10))
                .discardPolicy(DiscardPolicy.New) // when full, refuse new messages and keep the old ones
                .build());
    }

    private static void consume(JetStreamSubscription subscription, Inbox inbox, Consumer<byte[]> work)
            throws InterruptedException {
        Message message = subscription.nextMessage(Duration.ofSeconds(5));
        if (message == null) {
            return; // there is none
        }
        String id = NatsHeaders.of(message).get(OutboxHeaders.ID);
        if (inbox.firstTime(id)) {
            work.accept(message.getData());
        }
        message.ack();
    }

    static Topic<Order> topic() {
        NatsPublisher<Order> publisher = NatsPublisher.<Order>builder("nats://app:secret@localhost:4222").stream(
                        "ORDERS")
                .subject("orders.placed")
                .build();
        Topic<Order> orders = Topic.builder("orders", Order.class)
                .key(Order::customer)
                .partitions(16)
                .asyncPublisher(publisher)
                .build();
        return orders;
    }

    static NatsPublisher.Builder<Order> subjects() {
        NatsPublisher.Builder<Order> byCustomer = NatsPublisher.<Order>builder("nats://localhost:4222").stream("ORDERS")
                .subject(delivery ->
                        "orders." + NatsPublisher.token(delivery.message().customer()));
        return byCustomer;
    }
}
