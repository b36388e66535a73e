package dev.outbox.histories.brokers;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.GetResponse;
import dev.outbox.OutboxHeaders;
import dev.outbox.servers.RabbitServer;
import dev.outbox.servers.TcpProxy;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** RabbitMQ, with an exchange and a queue. */
final class RabbitBroker implements Broker {
    private static final String NAME = "history";

    private final RabbitServer server = RabbitServer.packaged();
    private final TcpProxy network = TcpProxy.before(server.url());
    private final List<Arrival> arrivals = new ArrayList<>();

    RabbitBroker() throws Exception {
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
        factory.setUri(server.url());
        return factory.newConnection();
    }

    @Override
    public String address() {
        return "rabbitmq " + network.route(server.url()) + " " + NAME;
    }

    @Override
    public List<Arrival> arrivals() throws Exception {
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
