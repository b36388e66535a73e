package dev.outbox.benchmarks;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import dev.outbox.AsyncBrokerPublisher;
import dev.outbox.OutboxHeaders;
import dev.outbox.rabbitmq.RabbitPublisher;
import dev.outbox.servers.RabbitServer;
import java.time.Instant;
import java.util.Date;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** RabbitMQ, with a durable classic queue, persistent messages, and a channel with confirms. */
final class RabbitTarget implements BrokerTarget {
    private static final byte[] PAYLOAD = Load.payload(Load.USUAL_BYTES);
    private static final int PERSISTENT = 2;

    private final Connection connection;
    private final Channel channel;
    private final RabbitPublisher<byte[]> publisher;
    private long sent;

    RabbitTarget() throws Exception {
        String url = RabbitServer.shared().url();
        ConnectionFactory factory = new ConnectionFactory();
        factory.setUri(url);
        connection = factory.newConnection();
        channel = connection.createChannel();
        channel.exchangeDeclare(Load.TOPIC, "direct", true);
        channel.queueDeclare(Load.TOPIC, true, false, false, Map.of());
        channel.queueBind(Load.TOPIC, Load.TOPIC, Load.TOPIC);
        channel.confirmSelect();
        publisher = RabbitPublisher.<byte[]>builder(url).exchange(Load.TOPIC).build();
    }

    @Override
    public String version() {
        return "RabbitMQ " + connection.getServerProperties().get("version") + ", a durable classic queue";
    }

    @Override
    public AsyncBrokerPublisher<byte[]> publisher() {
        return publisher;
    }

    @Override
    public void send(int messages) throws Exception {
        for (int m = 0; m < messages; m++) {
            String id = BrokerTarget.id(sent);
            Map<String, Object> headers = new HashMap<>(BrokerTarget.headers(id));
            headers.put(OutboxHeaders.KEY, BrokerTarget.key(sent++));
            AMQP.BasicProperties properties = new AMQP.BasicProperties.Builder()
                    .deliveryMode(PERSISTENT)
                    .messageId(id)
                    .timestamp(Date.from(Instant.now()))
                    .type(Load.TOPIC)
                    .headers(headers)
                    .build();
            channel.basicPublish(Load.TOPIC, Load.TOPIC, true, properties, PAYLOAD);
        }
        channel.waitForConfirmsOrDie(TimeUnit.MINUTES.toMillis(2));
    }

    @Override
    public void clear() throws Exception {
        channel.queuePurge(Load.TOPIC);
    }

    @Override
    public void close() throws Exception {
        publisher.close();
        connection.close();
    }
}
