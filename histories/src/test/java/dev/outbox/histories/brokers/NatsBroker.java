package dev.outbox.histories.brokers;

import dev.outbox.OutboxHeaders;
import dev.outbox.servers.NatsServer;
import dev.outbox.servers.TcpProxy;
import io.nats.client.Connection;
import io.nats.client.JetStreamManagement;
import io.nats.client.Nats;
import io.nats.client.api.MessageInfo;
import io.nats.client.api.StreamConfiguration;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** NATS, with a stream. */
@SuppressWarnings("try") // closing a connection may be interrupted
final class NatsBroker implements Broker {
    private static final String NAME = "history";

    private final NatsServer server = NatsServer.packaged();
    private final TcpProxy network = TcpProxy.before(server.url());

    NatsBroker() throws Exception {
        try (Connection connection = Nats.connect(server.url())) {
            connection
                    .jetStreamManagement()
                    .addStream(StreamConfiguration.builder()
                            .name(NAME)
                            .subjects(NAME)
                            .build());
        }
    }

    @Override
    public String address() {
        return "nats " + network.route(server.url()) + " " + NAME;
    }

    @Override
    public List<Arrival> arrivals() throws Exception {
        List<Arrival> arrivals = new ArrayList<>();
        try (Connection connection = Nats.connect(server.url())) {
            JetStreamManagement streams = connection.jetStreamManagement();
            long last = streams.getStreamInfo(NAME).getStreamState().getLastSequence();
            for (long i = 1; i <= last; i++) {
                MessageInfo stored = streams.getMessage(NAME, i);
                byte[] data = stored.getData();
                arrivals.add(new Arrival(
                        new String(data == null ? new byte[0] : data, StandardCharsets.UTF_8),
                        String.valueOf(stored.getHeaders().getFirst(OutboxHeaders.KEY)),
                        Long.parseLong(String.valueOf(stored.getHeaders().getFirst(Publishers.SENT)))));
            }
        }
        return arrivals;
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
        network.refuse();
    }

    @Override
    public void heal() {
        network.heal();
    }

    @Override
    public void cut() {
        network.cut();
    }

    @Override
    public void close() throws IOException {
        network.close();
        server.close();
    }
}
