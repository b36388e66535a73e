package dev.outbox.examples.quickstart;

import dev.outbox.Codec;
import dev.outbox.Codecs;
import dev.outbox.OutboxHeaders;
import dev.outbox.nats.NatsHeaders;
import dev.outbox.nats.NatsPublisher;
import dev.outbox.spi.Redacted;
import io.nats.client.Connection;
import io.nats.client.JetStreamSubscription;
import io.nats.client.Message;
import io.nats.client.Nats;
import io.nats.client.PushSubscribeOptions;
import io.nats.client.api.StreamConfiguration;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** NATS, with a stream for each run. */
final class NatsBroker implements Broker {
    /** The publisher asks for a window that covers the longest delay between two tries. */
    private static final Duration DUPLICATE_WINDOW = Duration.ofMinutes(10);

    private final String url;

    NatsBroker(String url) {
        this.url = url;
    }

    @Override
    public String shown() {
        return "nats at " + Redacted.url(url);
    }

    @Override
    public Outlet outlet(String topic) {
        NatsPublisher<Order> publisher =
                NatsPublisher.<Order>builder(url).stream(topic).subject(topic).build();
        return new Outlet(OrderTopic.of(topic).asyncPublisher(publisher).build(), publisher::close);
    }

    @Override
    public Consumer consume(String topic, Path output) throws Exception {
        Connection connection = Nats.connect(url);
        connection
                .jetStreamManagement()
                .addStream(StreamConfiguration.builder()
                        .name(topic)
                        .subjects(topic)
                        .duplicateWindow(DUPLICATE_WINDOW)
                        .build());
        JetStreamSubscription subscription = connection
                .jetStream()
                .subscribe(
                        topic,
                        PushSubscribeOptions.builder().stream(topic)
                                .ordered(true)
                                .build());
        return BrokerConsumer.start(new Stream(connection, subscription, topic), output, shown(), url);
    }

    private static final class Stream implements BrokerConsumer.Source {
        private static final int MOST = 500;

        private final Codec<Order> json = Codecs.json(Order.class);
        private final Connection connection;
        private final JetStreamSubscription subscription;
        private final String name;
        private long last;

        Stream(Connection connection, JetStreamSubscription subscription, String name) {
            this.connection = connection;
            this.subscription = subscription;
            this.name = name;
        }

        @Override
        public List<Delivered> next() throws Exception {
            List<Delivered> arrived = new ArrayList<>();
            Message message = subscription.nextMessage(Duration.ofMillis(50));
            while (message != null) {
                Map<String, String> headers = NatsHeaders.of(message);
                arrived.add(new Delivered(
                        String.valueOf(headers.get(OutboxHeaders.ID)),
                        String.valueOf(headers.get(OutboxHeaders.KEY)),
                        json.decode(message.getData()).number()));
                last = message.metaData().streamSequence();
                message = arrived.size() < MOST ? subscription.nextMessage(Duration.ofMillis(1)) : null;
            }
            return arrived;
        }

        @Override
        public boolean isAtEnd() throws Exception {
            return connection
                            .jetStreamManagement()
                            .getStreamInfo(name)
                            .getStreamState()
                            .getLastSequence()
                    <= last;
        }

        @Override
        public void close() {
            try {
                connection.close();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
