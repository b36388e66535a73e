package dev.outbox.examples.quickstart;

import dev.outbox.Codec;
import dev.outbox.Codecs;
import dev.outbox.OutboxHeaders;
import dev.outbox.kafka.KafkaPublisher;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Kafka, with a topic for each run. */
final class KafkaBroker implements Broker {
    private static final int PARTITIONS = 4;
    private static final int ANSWER_MILLIS = 20_000;

    private final String servers;

    KafkaBroker(String servers) {
        this.servers = servers;
    }

    @Override
    public String shown() {
        return "kafka at " + servers;
    }

    @Override
    public Outlet outlet(String topic) {
        KafkaPublisher<Order> publisher = KafkaPublisher.<Order>builder(Map.of("bootstrap.servers", servers))
                .topic(topic)
                .build();
        return new Outlet(OrderTopic.of(topic).asyncPublisher(publisher).build(), publisher::close);
    }

    @Override
    public Consumer consume(String topic, Path output) throws Exception {
        Map<String, Object> settings = Map.of(
                "bootstrap.servers", servers, "default.api.timeout.ms", ANSWER_MILLIS, "request.timeout.ms", 10_000);
        try (Admin admin = Admin.create(settings)) {
            // As many replicas as the broker makes by itself.
            admin.createTopics(List.of(new NewTopic(topic, Optional.of(PARTITIONS), Optional.empty())))
                    .all()
                    .get();
        }
        return BrokerConsumer.start(new Records(settings, topic), output, shown(), servers);
    }

    /** Reads without a group: this consumer is the only one, and reads everything once. */
    private static final class Records implements BrokerConsumer.Source {
        private final Codec<Order> json = Codecs.json(Order.class);
        private final KafkaConsumer<byte[], byte[]> consumer;
        private final List<TopicPartition> partitions;

        Records(Map<String, Object> settings, String topic) throws Exception {
            consumer = new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
            partitions = IntStream.range(0, PARTITIONS)
                    .mapToObj(number -> new TopicPartition(topic, number))
                    .toList();
            awaitLeaders(topic);
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
        }

        /** A topic that was just made is not known everywhere yet. */
        private void awaitLeaders(String topic) throws Exception {
            long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(ANSWER_MILLIS);
            while (consumer.partitionsFor(topic).stream()
                            .filter(partition -> partition.leader() != null)
                            .count()
                    < PARTITIONS) {
                if (System.nanoTime() - deadline > 0) {
                    consumer.close();
                    throw new TimeoutException("topic " + topic + " has no leaders");
                }
                Thread.sleep(20);
            }
        }

        @Override
        public List<Delivered> next() throws Exception {
            List<Delivered> arrived = new ArrayList<>();
            for (ConsumerRecord<byte[], byte[]> message : consumer.poll(Duration.ofMillis(100))) {
                arrived.add(new Delivered(
                        text(message.headers().lastHeader(OutboxHeaders.ID).value()),
                        text(message.key()),
                        json.decode(message.value()).number()));
            }
            return arrived;
        }

        @Override
        public boolean isAtEnd() {
            return consumer.endOffsets(partitions).entrySet().stream()
                    .allMatch(end -> consumer.position(end.getKey()) >= end.getValue());
        }

        @Override
        public void close() {
            consumer.close();
        }

        private static String text(byte[] bytes) {
            return new String(bytes, StandardCharsets.UTF_8);
        }
    }
}
