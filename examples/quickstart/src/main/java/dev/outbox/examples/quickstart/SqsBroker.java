package dev.outbox.examples.quickstart;

import dev.outbox.Codec;
import dev.outbox.Codecs;
import dev.outbox.OutboxHeaders;
import dev.outbox.RetryPolicy;
import dev.outbox.spi.Redacted;
import dev.outbox.sqs.SqsMessages;
import dev.outbox.sqs.SqsPublisher;
import java.net.URI;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.client.builder.AwsClientBuilder;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.sqs.SqsAsyncClient;
import software.amazon.awssdk.services.sqs.SqsClient;
import software.amazon.awssdk.services.sqs.model.DeleteMessageBatchRequestEntry;
import software.amazon.awssdk.services.sqs.model.DeleteMessageBatchResponse;
import software.amazon.awssdk.services.sqs.model.Message;
import software.amazon.awssdk.services.sqs.model.QueueAttributeName;

/**
 * Amazon SQS, with a FIFO queue for each run. The address is a region of AWS, whose credentials are those of the
 * environment, or the URL of a server such as ElasticMQ, which gets credentials that are made up.
 */
final class SqsBroker implements Broker {
    /** A FIFO queue recognises a message that it had within 5 minutes. */
    private static final Duration LONGEST_DELAY = Duration.ofMinutes(2);

    private final String address;

    SqsBroker(String address) {
        this.address = address;
    }

    @Override
    public String shown() {
        return "sqs at " + Redacted.url(address);
    }

    private <B extends AwsClientBuilder<B, C>, C> B at(B client) {
        if (!address.contains("://")) {
            return client.region(Region.of(address));
        }
        return client.endpointOverride(URI.create(address))
                .region(Region.US_EAST_1)
                .credentialsProvider(
                        StaticCredentialsProvider.create(AwsBasicCredentials.create("quickstart", "quickstart")));
    }

    private static String queue(String topic) {
        return topic + ".fifo";
    }

    @Override
    public Outlet outlet(String topic) {
        SqsPublisher<Order> publisher = SqsPublisher.<Order>builder(at(SqsAsyncClient.builder()))
                .queue(queue(topic))
                .build();
        return new Outlet(
                OrderTopic.of(topic)
                        .retry(RetryPolicy.defaults().withMaxDelay(LONGEST_DELAY))
                        .asyncPublisher(publisher)
                        .build(),
                publisher::close);
    }

    @Override
    public Consumer consume(String topic, Path output) throws Exception {
        SqsClient client = at(SqsClient.builder()).build();
        String url = client.createQueue(request ->
                        request.queueName(queue(topic)).attributes(Map.of(QueueAttributeName.FIFO_QUEUE, "true")))
                .queueUrl();
        return BrokerConsumer.start(new Queue(client, url), output, shown(), address);
    }

    private static final class Queue implements BrokerConsumer.Source {
        private static final int MOST = 10;

        private final Codec<Order> json = Codecs.json(Order.class);
        private final SqsClient client;
        private final String url;
        private boolean empty;

        Queue(SqsClient client, String url) {
            this.client = client;
            this.url = url;
        }

        @Override
        public List<Delivered> next() throws Exception {
            List<Message> messages = client.receiveMessage(request -> request.queueUrl(url)
                            .maxNumberOfMessages(MOST)
                            .messageAttributeNames("All")
                            .waitTimeSeconds(1))
                    .messages();
            empty = messages.isEmpty();
            List<Delivered> arrived = new ArrayList<>();
            for (Message message : messages) {
                Map<String, String> headers = SqsMessages.headers(message);
                arrived.add(new Delivered(
                        String.valueOf(headers.get(OutboxHeaders.ID)),
                        String.valueOf(headers.get(OutboxHeaders.KEY)),
                        json.decode(SqsMessages.payload(message)).number()));
            }
            if (!empty) {
                delete(messages);
            }
            return arrived;
        }

        /** The queue hands out no later message of a group before. */
        private void delete(List<Message> messages) {
            List<DeleteMessageBatchRequestEntry> entries = messages.stream()
                    .map(message -> DeleteMessageBatchRequestEntry.builder()
                            .id(message.messageId())
                            .receiptHandle(message.receiptHandle())
                            .build())
                    .toList();
            DeleteMessageBatchResponse answer =
                    client.deleteMessageBatch(request -> request.queueUrl(url).entries(entries));
            if (!answer.failed().isEmpty()) {
                throw new IllegalStateException("Messages were not deleted: " + answer.failed());
            }
        }

        /** The counts of a queue are approximate, so it has also handed out nothing for a second. */
        @Override
        public boolean isAtEnd() {
            Map<QueueAttributeName, String> counts = client.getQueueAttributes(request -> request.queueUrl(url)
                            .attributeNames(
                                    QueueAttributeName.APPROXIMATE_NUMBER_OF_MESSAGES,
                                    QueueAttributeName.APPROXIMATE_NUMBER_OF_MESSAGES_NOT_VISIBLE))
                    .attributes();
            return empty && counts.values().stream().allMatch("0"::equals);
        }

        @Override
        public void close() {
            client.close();
        }
    }
}
