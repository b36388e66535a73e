package dev.outbox.examples.quickstart;

import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;
import com.rabbitmq.client.GetResponse;
import dev.outbox.Codec;
import dev.outbox.Codecs;
import dev.outbox.OutboxHeaders;
import dev.outbox.rabbitmq.RabbitPublisher;
import dev.outbox.spi.Redacted;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** RabbitMQ, with an exchange and a queue for each run. */
final class RabbitBroker implements Broker {
    private final String url;

    RabbitBroker(String url) {
        this.url = url;
    }

    @Override
    public String shown() {
        return "rabbitmq at " + Redacted.url(url);
    }

    @Override
    public Outlet outlet(String topic) {
        RabbitPublisher<Order> publisher =
                RabbitPublisher.<Order>builder(url).exchange(topic).build();
        return new Outlet(OrderTopic.of(topic).asyncPublisher(publisher).build(), publisher::close);
    }

    @Override
    public Consumer consume(String topic, Path output) throws Exception {
        ConnectionFactory factory = new ConnectionFactory();
        factory.setUri(url);
        Connection connection = factory.newConnection();
        Channel channel = connection.createChannel();
        channel.exchangeDeclare(topic, "direct", true);
        channel.queueDeclare(topic, true, false, false, Map.of());
        channel.queueBind(topic, topic, topic); // the publisher routes by the name of the topic
        return BrokerConsumer.start(new Queue(connection, channel, topic), output, shown(), url);
    }

    private record Queue(Connection connection, Channel channel, String name) implements BrokerConsumer.Source {
        private static final Codec<Order> JSON = Codecs.json(Order.class);
        private static final int MOST = 500;

        @Override
        public List<Delivered> next() throws Exception {
            List<Delivered> arrived = new ArrayList<>();
            GetResponse got = channel.basicGet(name, true);
            while (got != null && arrived.size() < MOST) {
                arrived.add(new Delivered(
                        got.getProps().getMessageId(),
                        String.valueOf(got.getProps().getHeaders().get(OutboxHeaders.KEY)),
                        JSON.decode(got.getBody()).number()));
                got = arrived.size() < MOST ? channel.basicGet(name, true) : null;
            }
            if (arrived.isEmpty()) {
                Thread.sleep(10);
            }
            return arrived;
        }

        @Override
        public boolean isAtEnd() throws Exception {
            return channel.messageCount(name) == 0;
        }

        @Override
        public void close() throws IOException {
            connection.close();
        }
    }
}
