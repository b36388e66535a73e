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
final class SqsBroker implements Broker {
    private static final String NAME = "history.fifo";

    private final SqsServer server = SqsServer.start();
    private final SqsQueues queues = new SqsQueues(server);

    SqsBroker() throws Exception {
        queues.create(NAME);
    }

    @Override
    public String address() {
        return "sqs " + server.proxied() + " " + NAME;
    }

    @Override
    public List<Arrival> arrivals() {
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
        queues.close();
        server.close();
    }
}
