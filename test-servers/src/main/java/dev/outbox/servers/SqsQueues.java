package dev.outbox.servers;

import java.net.URI;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.client.builder.AwsClientBuilder;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.sqs.SqsAsyncClient;
import software.amazon.awssdk.services.sqs.SqsAsyncClientBuilder;
import software.amazon.awssdk.services.sqs.SqsClient;
import software.amazon.awssdk.services.sqs.model.DeleteMessageBatchRequestEntry;
import software.amazon.awssdk.services.sqs.model.Message;
import software.amazon.awssdk.services.sqs.model.MessageSystemAttributeName;
import software.amazon.awssdk.services.sqs.model.QueueAttributeName;

/**
 * The queues of a server, with a client that no fault of the network is meant for; to be closed. Used by one thread.
 * Modules that use it have the SDK of AWS themselves.
 */
public final class SqsQueues implements AutoCloseable {
    /** What ElasticMQ forgets when it is killed: which of two messages of the same millisecond came first. */
    private static final Comparator<Message> AS_TAKEN = Comparator.<Message>comparingLong(
                    message -> number(message, MessageSystemAttributeName.SENT_TIMESTAMP))
            .thenComparingLong(message -> number(message, MessageSystemAttributeName.SEQUENCE_NUMBER));

    /** The password of all clients. */
    public static final String SECRET = "s3cret-of-outbox";

    private final SqsClient client;
    private final Map<String, List<Message>> received = new HashMap<>();

    /** Connects to a URL, past {@link SqsServer#network}. */
    public SqsQueues(String url) {
        client = consumer(url);
    }

    /** A client for an address; to be closed. */
    public static SqsClient consumer(String url) {
        return at(SqsClient.builder(), url).build();
    }

    /** What makes a client for an address. */
    public static SqsAsyncClientBuilder client(String url) {
        return at(SqsAsyncClient.builder(), url);
    }

    private static <B extends AwsClientBuilder<B, C>, C> B at(B builder, String url) {
        return builder.endpointOverride(URI.create(url))
                .region(Region.EU_CENTRAL_1)
                .credentialsProvider(StaticCredentialsProvider.create(AwsBasicCredentials.create("outbox", SECRET)));
    }

    /** Makes a queue, which is empty; a FIFO queue if its name is that of one. */
    public void create(String name) {
        client.createQueue(request -> request.queueName(name)
                .attributes(name.endsWith(".fifo") ? Map.of(QueueAttributeName.FIFO_QUEUE, "true") : Map.of()));
        received.put(name, new ArrayList<>());
    }

    /** Deletes a queue with its messages. */
    public void delete(String name) {
        client.deleteQueue(request -> request.queueUrl(url(name)));
    }

    /** The URL of a queue, which has the server's address. */
    public String url(String name) {
        return client.getQueueUrl(request -> request.queueName(name)).queueUrl();
    }

    /**
     * All messages that a queue has taken between {@link #create} and this call, in the order in which it took them.
     * Messages that it takes meanwhile are left for the next call.
     */
    public List<Message> received(String name) {
        List<Message> all = received.getOrDefault(name, List.of());
        String url = url(name);
        int there = count(url);
        for (int before = all.size(); all.size() < before + there; ) {
            List<Message> some = client.receiveMessage(request -> request.queueUrl(url)
                            .maxNumberOfMessages(10)
                            .messageAttributeNames("All")
                            .messageSystemAttributeNames(MessageSystemAttributeName.ALL))
                    .messages();
            all.addAll(some);
            delete(url, some);
        }
        all.sort(AS_TAKEN);
        return List.copyOf(all);
    }

    private int count(String url) {
        return Integer.parseInt(client.getQueueAttributes(request ->
                        request.queueUrl(url).attributeNames(QueueAttributeName.APPROXIMATE_NUMBER_OF_MESSAGES))
                .attributes()
                .get(QueueAttributeName.APPROXIMATE_NUMBER_OF_MESSAGES));
    }

    private void delete(String url, List<Message> messages) {
        List<DeleteMessageBatchRequestEntry> entries = messages.stream()
                .map(message -> DeleteMessageBatchRequestEntry.builder()
                        .id(message.messageId())
                        .receiptHandle(message.receiptHandle())
                        .build())
                .toList();
        if (!entries.isEmpty()) {
            client.deleteMessageBatch(request -> request.queueUrl(url).entries(entries));
        }
    }

    private static long number(Message message, MessageSystemAttributeName name) {
        String number = message.attributes().get(name);
        return number == null ? 0 : Long.parseLong(number); // a standard queue has no sequence
    }

    @Override
    public void close() {
        client.close();
    }
}
