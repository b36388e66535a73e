package dev.outbox.histories.brokers;

import dev.outbox.OutboxHeaders;
import dev.outbox.servers.SqsServer;
import dev.outbox.sqs.SqsMessages;
import java.io.IOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import software.amazon.awssdk.services.sqs.SqsClient;
import software.amazon.awssdk.services.sqs.model.DeleteMessageBatchRequestEntry;
import software.amazon.awssdk.services.sqs.model.Message;
import software.amazon.awssdk.services.sqs.model.MessageSystemAttributeName;
import software.amazon.awssdk.services.sqs.model.QueueAttributeName;

/** ElasticMQ, with a FIFO queue. */
final class SqsBroker implements Broker {
    private static final String NAME = "history.fifo";

    /** What ElasticMQ forgets when it is killed: which of two messages of the same millisecond came first. */
    private static final Comparator<Message> AS_TAKEN = Comparator.<Message>comparingLong(
                    message -> number(message, MessageSystemAttributeName.SENT_TIMESTAMP))
            .thenComparingLong(message -> number(message, MessageSystemAttributeName.SEQUENCE_NUMBER));

    private final SqsServer server = SqsServer.start();
    private final SqsClient consumer = Publishers.at(SqsClient.builder().endpointOverride(URI.create(server.url())))
            .build();
    private final List<Message> received = new ArrayList<>();
    private final String url;

    SqsBroker() throws Exception {
        url = consumer.createQueue(
                        request -> request.queueName(NAME).attributes(Map.of(QueueAttributeName.FIFO_QUEUE, "true")))
                .queueUrl();
    }

    @Override
    public String address() {
        return "sqs " + server.proxied() + " " + NAME;
    }

    /** Reads the messages that are there now, and none that come meanwhile. */
    @Override
    public List<Arrival> arrivals() {
        int there = Integer.parseInt(consumer.getQueueAttributes(request ->
                        request.queueUrl(url).attributeNames(QueueAttributeName.APPROXIMATE_NUMBER_OF_MESSAGES))
                .attributes()
                .get(QueueAttributeName.APPROXIMATE_NUMBER_OF_MESSAGES));
        for (int before = received.size(); received.size() < before + there; ) {
            List<Message> some = consumer.receiveMessage(request -> request.queueUrl(url)
                            .maxNumberOfMessages(10)
                            .messageAttributeNames("All")
                            .messageSystemAttributeNames(MessageSystemAttributeName.ALL))
                    .messages();
            received.addAll(some);
            delete(some);
        }
        received.sort(AS_TAKEN);
        return received.stream().map(SqsBroker::arrival).toList();
    }

    private void delete(List<Message> messages) {
        List<DeleteMessageBatchRequestEntry> entries = messages.stream()
                .map(message -> DeleteMessageBatchRequestEntry.builder()
                        .id(message.messageId())
                        .receiptHandle(message.receiptHandle())
                        .build())
                .toList();
        if (!entries.isEmpty()) {
            consumer.deleteMessageBatch(request -> request.queueUrl(url).entries(entries));
        }
    }

    private static long number(Message message, MessageSystemAttributeName name) {
        return Long.parseLong(message.attributes().get(name));
    }

    private static Arrival arrival(Message message) {
        Map<String, String> headers = SqsMessages.headers(message);
        return new Arrival(
                new String(SqsMessages.payload(message), StandardCharsets.UTF_8),
                String.valueOf(headers.get(OutboxHeaders.KEY)),
                Long.parseLong(String.valueOf(headers.get(Publishers.SENT))));
    }

    @Override
    public void kill() {
        server.kill();
    }

    @Override
    public void restart() throws Exception {
        server.restart();
    }

    @Override
    public void pause() throws IOException {
        server.pause();
    }

    @Override
    public void resume() throws IOException {
        server.resume();
    }

    @Override
    public void cutOff() {
        server.network().refuse();
    }

    @Override
    public void heal() {
        server.network().heal();
    }

    @Override
    public void cut() {
        server.network().cut();
    }

    @Override
    public void close() throws IOException {
        consumer.close();
        server.close();
    }
}
