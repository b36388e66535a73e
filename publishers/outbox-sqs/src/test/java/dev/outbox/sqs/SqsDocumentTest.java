package dev.outbox.sqs;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.outbox.Delivery;
import dev.outbox.OutboxHeaders;
import dev.outbox.RetryPolicy;
import dev.outbox.Topic;
import dev.outbox.documents.Snippets;
import dev.outbox.servers.SqsQueues;
import dev.outbox.servers.SqsServer;
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
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.sqs.SqsAsyncClient;
import software.amazon.awssdk.services.sqs.SqsClient;
import software.amazon.awssdk.services.sqs.model.Message;
import software.amazon.awssdk.services.sqs.model.QueueAttributeName;
import software.amazon.awssdk.services.sqs.model.ReceiveMessageResponse;

/** The code in {@code docs/SQS.md} is code of this class, and what can be run is run. */
class SqsDocumentTest {
    record Order(String customer) {}

    /** Stands for the table of a consumer. */
    private interface Inbox {
        boolean firstTime(@Nullable String id);
    }

    @Test
    void everySnippetIsCompiled() throws IOException {
        assertEquals(5, Snippets.compiledBy(getClass(), "SQS.md"));
    }

    @Test
    void theQueueIsSetUpAndAConsumerRecognisesADuplicate() throws Exception {
        String server = SqsServer.shared();
        List<String> done = new ArrayList<>();
        Set<String> known = new HashSet<>(Set.of("1"));
        try (SqsClient client = SqsQueues.consumer(server)) {
            setUp(client);
            String queue = client.getQueueUrl(request -> request.queueName("orders.fifo"))
                    .queueUrl();
            try (SqsPublisher<String> publisher = SqsPublisher.<String>builder(SqsQueues.client(server))
                    .queue("orders.fifo")
                    .build()) {
                for (String id : List.of("1", "2", "2")) {
                    publisher.publish(message(id)).toCompletableFuture().get(2, TimeUnit.MINUTES);
                }
            }
            consume(client, queue, known::add, data -> done.add(new String(data, StandardCharsets.UTF_8)));
            client.deleteQueue(request -> request.queueUrl(queue));
        }
        assertEquals(List.of("order 2"), done, "the consumer knew the first, and the queue dropped the third");
    }

    private static Delivery<String> message(String id) {
        byte[] payload = ("order " + id).getBytes(StandardCharsets.UTF_8);
        return new Delivery<>("order " + id, id, "orders", 0, null, Map.of(), payload, 1, Instant.EPOCH);
    }

    private static void setUp(SqsClient client) {
        client.createQueue(request -> request.queueName("orders.fifo")
                .attributes(Map.of(
                        QueueAttributeName.FIFO_QUEUE, "true",
                        QueueAttributeName.MESSAGE_RETENTION_PERIOD,
                                "1209600"))); // 14 days; SQS deletes older messages
    }

    private static void consume(SqsClient client, String queue, Inbox inbox, Consumer<byte[]> work) {
        ReceiveMessageResponse received = client.receiveMessage(request -> request.queueUrl(queue)
                .messageAttributeNames("All")
                .maxNumberOfMessages(10)
                .waitTimeSeconds(20));
        for (Message message : received.messages()) {
            String id = SqsMessages.headers(message).get(OutboxHeaders.ID);
            if (inbox.firstTime(id)) {
                work.accept(SqsMessages.payload(message));
            }
            client.deleteMessage(request -> request.queueUrl(queue).receiptHandle(message.receiptHandle()));
        }
    }

    static Topic<Order> topic() {
        SqsPublisher<Order> publisher = SqsPublisher.<Order>builder(
                        SqsAsyncClient.builder().region(Region.EU_CENTRAL_1))
                .queue("orders.fifo")
                .build();
        Topic<Order> orders = Topic.builder("orders", Order.class)
                .key(Order::customer)
                .partitions(16)
                .retry(RetryPolicy.defaults().withMaxDelay(Duration.ofMinutes(2)))
                .asyncPublisher(publisher)
                .build();
        return orders;
    }

    static SqsPublisher<Order> over(SqsAsyncClient client) {
        SqsPublisher<Order> publisher =
                SqsPublisher.<Order>over(client).queue("orders.fifo").build();
        return publisher;
    }

    static SqsPublisher.Builder<Order> groups() {
        SqsPublisher.Builder<Order> byCustomer = SqsPublisher.<Order>builder(SqsAsyncClient.builder())
                .queue("orders.fifo")
                .messageGroup(order -> SqsPublisher.token(order.message().customer()));
        return byCustomer;
    }
}
