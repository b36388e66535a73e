package dev.outbox.rabbitmq;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.DeliverCallback;
import dev.outbox.Delivery;
import dev.outbox.Topic;
import dev.outbox.documents.Snippets;
import dev.outbox.processes.Await;
import dev.outbox.servers.RabbitServer;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The code in {@code docs/RABBITMQ.md} is code of this class, and what can be run is run. */
@Tag("rabbitmq")
class RabbitDocumentTest {
    record Order(String customer) {}

    /** Stands for the table of a consumer. */
    private interface Inbox {
        boolean firstTime(String id);
    }

    @Test
    void everySnippetIsCompiled() throws IOException {
        assertEquals(3, Snippets.compiledBy(getClass(), "RABBITMQ.md"));
    }

    @Test
    void theBrokerIsSetUpAndAConsumerRecognisesADuplicate() throws Exception {
        RabbitServer server = RabbitServer.killable();
        ConnectionFactory factory = new ConnectionFactory();
        factory.setUri(server.url());
        List<String> done = new CopyOnWriteArrayList<>();
        Set<String> known = ConcurrentHashMap.newKeySet();
        try (Connection connection = factory.newConnection();
                Channel channel = connection.createChannel();
                RabbitPublisher<String> publisher = publisher(channel, server)) {
            consume(channel, known::add, body -> done.add(new String(body, StandardCharsets.UTF_8)));
            for (String id : List.of("1", "1", "2")) {
                publisher.publish(message(id)).toCompletableFuture().get(2, TimeUnit.MINUTES);
            }
            Await.until("both are done", () -> done.equals(List.of("order 1", "order 2")));
            channel.queueDelete("orders");
            channel.exchangeDelete("orders");
        }
    }

    private static RabbitPublisher<String> publisher(Channel channel, RabbitServer server) throws IOException {
        setUp(channel);
        return RabbitPublisher.<String>builder(server.url()).exchange("orders").build();
    }

    private static Delivery<String> message(String id) {
        byte[] payload = ("order " + id).getBytes(StandardCharsets.UTF_8);
        return new Delivery<>("order " + id, id, "orders", 0, null, Map.of(), payload, 1, Instant.EPOCH);
    }

    private static void setUp(Channel channel) throws IOException {
        channel.exchangeDeclare("orders", "direct", true);
        channel.queueDeclare(
                "orders", true, false, false, Map.of("x-queue-type", "quorum", "x-single-active-consumer", true));
        channel.queueBind("orders", "orders", "orders");
    }

    private static void consume(Channel channel, Inbox inbox, Consumer<byte[]> work) throws IOException {
        DeliverCallback onDelivery = (tag, delivery) -> {
            String id = delivery.getProperties().getMessageId();
            if (inbox.firstTime(id)) {
                work.accept(delivery.getBody());
            }
            channel.basicAck(delivery.getEnvelope().getDeliveryTag(), false);
        };
        channel.basicConsume("orders", false, onDelivery, tag -> {});
    }

    static Topic<Order> topic() {
        RabbitPublisher<Order> publisher = RabbitPublisher.<Order>builder("amqp://app:secret@localhost:5672/shop")
                .exchange("orders")
                .build();
        Topic<Order> orders = Topic.builder("orders", Order.class)
                .key(Order::customer)
                .partitions(16)
                .asyncPublisher(publisher)
                .build();
        return orders;
    }
}
