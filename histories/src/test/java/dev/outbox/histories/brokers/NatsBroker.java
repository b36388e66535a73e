package dev.outbox.histories.brokers;

import dev.outbox.OutboxHeaders;
import dev.outbox.servers.NatsServer;
import io.nats.client.Connection;
import io.nats.client.JetStreamManagement;
import io.nats.client.Nats;
import io.nats.client.api.MessageInfo;
import io.nats.client.api.StreamConfiguration;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** NATS, with a stream. */
@SuppressWarnings("try") // closing a connection may be interrupted
final class NatsBroker extends Broker {
    private static final String NAME = "history";

    private final String url;

    NatsBroker() throws Exception {
        this(NatsServer.packaged());
    }

    private NatsBroker(NatsServer server) throws Exception {
        super(server, server.url());
        url = server.url();
        try (Connection connection = Nats.connect(url)) {
            connection
                    .jetStreamManagement()
                    .addStream(StreamConfiguration.builder()
                            .name(NAME)
                            .subjects(NAME)
                            .build());
        }
    }

    @Override
    String address() {
        return "nats " + route(url) + " " + NAME;
    }

    @Override
    List<Arrival> arrivals() throws Exception {
        List<Arrival> arrivals = new ArrayList<>();
        try (Connection connection = Nats.connect(url)) {
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
}
