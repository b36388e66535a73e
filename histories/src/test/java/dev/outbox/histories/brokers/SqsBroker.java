package dev.outbox.histories.brokers;

import dev.outbox.OutboxHeaders;
import dev.outbox.servers.SqsQueues;
import dev.outbox.servers.SqsServer;
import dev.outbox.sqs.SqsMessages;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import software.amazon.awssdk.services.sqs.model.Message;

/** ElasticMQ, with a FIFO queue. */
final class SqsBroker extends Broker {
    private static final String NAME = "history.fifo";

    private final SqsServer server;
    private final SqsQueues queues;

    SqsBroker() throws Exception {
        this(SqsServer.start());
    }

    private SqsBroker(SqsServer server) {
        super(server, server.network());
        this.server = server;
        this.queues = new SqsQueues(server.url());
        queues.create(NAME);
    }

    @Override
    String address() {
        return "sqs " + server.proxied() + " " + NAME;
    }

    @Override
    List<Arrival> arrivals() {
        return queues.received(NAME).stream().map(SqsBroker::arrival).toList();
    }

    private static Arrival arrival(Message message) {
        Map<String, String> headers = SqsMessages.headers(message);
        return new Arrival(
                new String(SqsMessages.payload(message), StandardCharsets.UTF_8),
                String.valueOf(headers.get(OutboxHeaders.KEY)),
                Long.parseLong(String.valueOf(headers.get(Publishers.SENT))));
    }

    @Override
    public void close() throws IOException {
        queues.close();
        super.close();
    }
}
