package dev.outbox.benchmarks;

import dev.outbox.AsyncBrokerPublisher;
import dev.outbox.OutboxHeaders;
import dev.outbox.nats.NatsPublisher;
import dev.outbox.servers.NatsServer;
import io.nats.client.Connection;
import io.nats.client.JetStream;
import io.nats.client.Nats;
import io.nats.client.Options;
import io.nats.client.api.PublishAck;
import io.nats.client.api.StreamConfiguration;
import io.nats.client.impl.Headers;
import io.nats.client.impl.NatsMessage;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

/** NATS, with a stream in a file, and the client's asynchronous way of publishing. */
final class NatsTarget implements BrokerTarget {
    private static final byte[] PAYLOAD = Load.payload(Load.USUAL_BYTES);

    /** A server keeps what it gets in memory until it has answered; more than this at a time makes it no faster. */
    private static final int TOGETHER = 2_000;

    private final Connection connection;
    private final JetStream stream;
    private final NatsPublisher<byte[]> publisher;
    private long sent;

    NatsTarget() throws Exception {
        String url = NatsServer.shared().url();
        connection = Nats.connect(new Options.Builder()
                .server(url)
                .dontForceFlushOnRequest() // as the publisher
                .build());
        connection
                .jetStreamManagement()
                .addStream(StreamConfiguration.builder()
                        .name(Load.TOPIC)
                        .subjects(Load.TOPIC)
                        .duplicateWindow(Duration.ofMinutes(10))
                        .build());
        stream = connection.jetStream();
        publisher = NatsPublisher.<byte[]>builder(url).stream(Load.TOPIC)
                .subject(Load.TOPIC)
                .build();
    }

    @Override
    public String version() {
        return "NATS " + connection.getServerInfo().getVersion() + ", a stream in a file";
    }

    @Override
    public AsyncBrokerPublisher<byte[]> publisher() {
        return publisher;
    }

    @Override
    public void send(int messages) throws Exception {
        Queue<CompletableFuture<PublishAck>> answers = new ArrayDeque<>();
        for (int m = 0; m < messages; m++) {
            String id = BrokerTarget.id(sent);
            Headers headers = new Headers();
            BrokerTarget.headers(id).forEach(headers::add);
            headers.add("Nats-Msg-Id", id);
            headers.add(OutboxHeaders.KEY, BrokerTarget.key(sent++));
            answers.add(stream.publishAsync(NatsMessage.builder()
                    .subject(Load.TOPIC)
                    .headers(headers)
                    .data(PAYLOAD)
                    .build()));
            if (answers.size() >= TOGETHER) {
                answers.remove().get(1, TimeUnit.MINUTES);
            }
        }
        for (CompletableFuture<PublishAck> answer : answers) {
            answer.get(1, TimeUnit.MINUTES);
        }
    }

    @Override
    public void clear() throws Exception {
        connection.jetStreamManagement().purgeStream(Load.TOPIC);
    }

    @Override
    public void close() throws Exception {
        publisher.close();
        connection.close();
    }
}
