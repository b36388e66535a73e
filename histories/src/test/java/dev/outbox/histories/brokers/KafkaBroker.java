package dev.outbox.histories.brokers;

import dev.outbox.OutboxHeaders;
import dev.outbox.servers.KafkaServer;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Kafka, in a process of its own. */
final class KafkaBroker extends Broker {
    private static final String TOPIC = "history";
    private static final int PARTITIONS = 4;

    private final KafkaServer server;

    KafkaBroker() throws Exception {
        this(KafkaServer.start());
    }

    private KafkaBroker(KafkaServer server) throws Exception {
        super(server, server.network());
        this.server = server;
        try (Admin admin = Admin.create(Map.of("bootstrap.servers", server.direct()))) {
            admin.createTopics(List.of(new NewTopic(TOPIC, PARTITIONS, (short) 1)))
                    .all()
                    .get(60, TimeUnit.SECONDS);
        }
    }

    @Override
    String address() {
        return "kafka " + server.proxied() + " " + TOPIC;
    }

    @Override
    List<Arrival> arrivals() {
        Map<String, Object> settings = Map.of("bootstrap.servers", server.direct(), "enable.auto.commit", false);
        List<TopicPartition> partitions = IntStream.range(0, PARTITIONS)
                .mapToObj(partition -> new TopicPartition(TOPIC, partition))
                .toList();
        List<Arrival> arrivals = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            while (ends.entrySet().stream().anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
                consumer.poll(Duration.ofMillis(200)).forEach(message -> arrivals.add(arrival(message)));
            }
        }
        return arrivals;
    }

    private static Arrival arrival(ConsumerRecord<byte[], byte[]> message) {
        Objects.requireNonNull(message.headers().lastHeader(OutboxHeaders.ID), "a message without an id");
        return new Arrival(text(message.value()), text(message.key()), message.timestamp());
    }

    private static String text(byte[] bytes) {
        return new String(bytes, StandardCharsets.UTF_8);
    }
}
