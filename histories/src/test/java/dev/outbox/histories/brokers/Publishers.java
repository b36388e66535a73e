package dev.outbox.histories.brokers;

import dev.outbox.AsyncBrokerPublisher;
import dev.outbox.Delivery;
import dev.outbox.kafka.KafkaPublisher;
import dev.outbox.nats.NatsPublisher;
import dev.outbox.rabbitmq.RabbitPublisher;
import dev.outbox.servers.SqsQueues;
import dev.outbox.sqs.SqsPublisher;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/** The publishers of relays, by the address of their broker. */
final class Publishers {
    /**
     * A publisher, and how it is closed.
     *
     * @param inFlight with how many messages of a partition in flight it keeps their order
     */
    record Opened(AsyncBrokerPublisher<String> publisher, AutoCloseable end, int inFlight) {}

    private static final int SEVERAL = 4;

    /** The header with the time when a message was sent, in milliseconds. */
    static final String SENT = "sent";

    private Publishers() {}

    static Opened open(String address) {
        String[] parts = address.split(" ", -1);
        return switch (parts[0]) {
            case "kafka" -> kafka(parts[1], parts[2]);
            case "rabbitmq" -> rabbitmq(parts[1], parts[2]);
            case "nats" -> nats(parts[1], parts[2], Integer.parseInt(parts[3]));
            case "sqs" -> sqs(parts[1], parts[2]);
            default -> throw new IllegalArgumentException(address);
        };
    }

    private static Opened kafka(String servers, String topic) {
        KafkaPublisher<String> publisher = KafkaPublisher.<String>builder(Map.of(
                        "bootstrap.servers", servers,
                        "max.block.ms", 1_500,
                        "delivery.timeout.ms", 2_500,
                        "request.timeout.ms", 1_200))
                .topic(delivery -> topic)
                .build();
        return new Opened(publisher, publisher, SEVERAL);
    }

    private static Opened rabbitmq(String url, String exchange) {
        RabbitPublisher<String> publisher = RabbitPublisher.<String>builder(url)
                .exchange(exchange)
                .confirmTimeout(Duration.ofMillis(2_500))
                .build();
        return new Opened(dated(publisher), publisher, SEVERAL);
    }

    private static Opened nats(String url, String stream, int inFlight) {
        NatsPublisher<String> publisher = NatsPublisher.<String>builder(url).stream(stream)
                .subject(stream)
                .ackTimeout(Duration.ofMillis(2_500))
                .acceptDuplicates()
                .build();
        return new Opened(dated(publisher), publisher, inFlight);
    }

    private static Opened sqs(String url, String queue) {
        SqsPublisher<String> publisher = SqsPublisher.<String>builder(SqsQueues.client(url))
                .queue(queue)
                .sendTimeout(Duration.ofMillis(2_500))
                .acceptDuplicates()
                .build();
        return new Opened(dated(publisher), publisher, SEVERAL);
    }

    /** Adds a header with the time, as records of Kafka have it. */
    private static AsyncBrokerPublisher<String> dated(AsyncBrokerPublisher<String> publisher) {
        return delivery -> {
            Map<String, String> headers = new HashMap<>(delivery.headers());
            headers.put(SENT, Long.toString(System.currentTimeMillis()));
            return publisher.publish(new Delivery<>(
                    delivery.message(),
                    delivery.id(),
                    delivery.topic(),
                    delivery.partition(),
                    delivery.key(),
                    headers,
                    delivery.payload(),
                    delivery.attempt(),
                    delivery.createdAt()));
        };
    }
}
