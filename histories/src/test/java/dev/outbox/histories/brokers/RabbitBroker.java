package dev.outbox.histories.brokers;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.GetResponse;
import dev.outbox.OutboxHeaders;
import dev.outbox.servers.RabbitServer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** RabbitMQ, with an exchange and a queue. */
final class RabbitBroker extends Broker {
    private static final String NAME = "history";

    private final String url;
    private final List<Arrival> arrivals = new ArrayList<>();

    RabbitBroker() throws Exception {
        this(RabbitServer.packaged());
    }

    private RabbitBroker(RabbitServer server) throws Exception {
        super(server, server.url());
        url = server.url();
        try (Connection connection = connect();
                Channel channel = connection.createChannel()) {
            channel.exchangeDeclare(NAME, "direct", true);
            channel.queueDeclare(NAME, true, false, false, Map.of());
            channel.queueBind(NAME, NAME, BrokerRelayMain.TOPIC);
        }
        server.control("eval", "mnesia:sync_log()."); // else a kill takes them for some seconds
    }

    private Connection connect() throws Exception {
        ConnectionFactory factory = new ConnectionFactory();
        factory.setUri(url);
        return factory.newConnection();
    }

    @Override
    String address() {
        return "rabbitmq " + route(url) + " " + NAME;
    }

    @Override
    List<Arrival> arrivals() throws Exception {
        try (Connection connection = connect();
                Channel channel = connection.createChannel()) {
            for (GetResponse got = channel.basicGet(NAME, true); got != null; got = channel.basicGet(NAME, true)) {
                Map<String, Object> headers = got.getProps().getHeaders();
                arrivals.add(new Arrival(
                        new String(got.getBody(), StandardCharsets.UTF_8),
                        String.valueOf(headers.get(OutboxHeaders.KEY)),
                        Long.parseLong(String.valueOf(headers.get(Publishers.SENT)))));
            }
        }
        return List.copyOf(arrivals);
    }
}
