package dev.outbox.histories.brokers;

import dev.outbox.AsyncBrokerPublisher;
import dev.outbox.kafka.KafkaPublisher;
import java.util.Map;

/** The publishers of relays, by the address of their broker. */
final class Publishers {
    /** A publisher, and how it is closed. */
    record Opened(AsyncBrokerPublisher<String> publisher, AutoCloseable end) {}

    private Publishers() {}

    static Opened open(String address) {
        String[] parts = address.split(" ", -1);
        if (!parts[0].equals("kafka")) {
            throw new IllegalArgumentException(address);
        }
        KafkaPublisher<String> publisher = KafkaPublisher.<String>builder(Map.of(
                        "bootstrap.servers", parts[1],
                        "max.block.ms", 1_500,
                        "delivery.timeout.ms", 2_500,
                        "request.timeout.ms", 1_200))
                .topic(delivery -> parts[2])
                .build();
        return new Opened(publisher, publisher);
    }
}
