package dev.outbox.sqs;

import static software.amazon.awssdk.services.sqs.model.MessageSystemAttributeName.MESSAGE_GROUP_ID;

import dev.outbox.AsyncBrokerPublisher;
import dev.outbox.OutboxHeaders;
import dev.outbox.publisher.tck.BrokerFault;
import dev.outbox.publisher.tck.PublisherHarness;
import dev.outbox.publisher.tck.ReceivedMessage;
import dev.outbox.servers.SqsQueues;
import dev.outbox.servers.SqsServer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import software.amazon.awssdk.services.sqs.model.Message;

/** FIFO queues of ElasticMQ, for the TCK. */
final class SqsHarness implements PublisherHarness {
    private final SqsServer server = SqsServer.killable();
    private final SqsQueues queues = new SqsQueues(server.url());

    @Override
    public String createDestination() {
        String name = "tck-" + UUID.randomUUID() + ".fifo";
        queues.create(name);
        return name;
    }

    @Override
    public AsyncBrokerPublisher<String> open(String destination) {
        return SqsPublisher.<String>builder(SqsQueues.client(server.proxied()))
                .queue(destination)
                .sendTimeout(Duration.ofSeconds(6))
                .acceptDuplicates() // the suite builds topics with the default retries
                .build();
    }

    @Override
    public List<ReceivedMessage> received(String destination) {
        return queues.received(destination).stream().map(SqsHarness::received).toList();
    }

    private static ReceivedMessage received(Message message) {
        Map<String, String> headers = SqsMessages.headers(message);
        String unit = String.valueOf(message.attributes().get(MESSAGE_GROUP_ID));
        String id = String.valueOf(headers.get(OutboxHeaders.ID));
        return new ReceivedMessage(unit, headers.get(OutboxHeaders.KEY), headers, SqsMessages.payload(message), id);
    }

    @Override
    public AutoCloseable cause(BrokerFault fault, String destination) throws Exception {
        switch (fault) {
            case KILLED -> {
                server.kill();
                return server::restart;
            }
            case PAUSED -> {
                server.pause();
                return server::resume;
            }
            case CUT_OFF -> {
                server.network().refuse();
                return server.network()::heal;
            }
            case MISSING -> {
                queues.delete(destination);
                return () -> queues.create(destination);
            }
            default -> throw new AssertionError(fault);
        }
    }

    @Override
    public Map<BrokerFault, String> without() {
        return Map.of(
                BrokerFault.FULL, "a queue of SQS takes any number of messages",
                BrokerFault.FORBIDDEN, "ElasticMQ asks for no credentials");
    }

    @Override
    public int refusedSize() {
        return 1024 * 1024;
    }

    @Override
    public Set<String> secrets() {
        // The secret key never travels, because requests are signed with it. What can leak is what SQS repeats of a
        // signed request: SIGNED in AnswersTest is the test of that.
        return Set.of(SqsQueues.SECRET);
    }

    @Override
    public int inFlight() {
        return 8;
    }

    @Override
    public void removeDestination(String destination) {
        queues.delete(destination);
    }

    @Override
    public void close() {
        queues.close(); // and not the server, which other tests use
    }
}
