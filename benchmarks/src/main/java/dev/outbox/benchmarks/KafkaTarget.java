package dev.outbox.benchmarks;

import dev.outbox.AsyncBrokerPublisher;
import dev.outbox.kafka.KafkaPublisher;
import dev.outbox.servers.KafkaServer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/** Kafka, with a topic of as many partitions as the outbox has, and a producer with Kafka's defaults. */
final class KafkaTarget implements BrokerTarget {
    private static final byte[] PAYLOAD = Load.payload(Load.USUAL_BYTES);

    private final KafkaServer server = KafkaServer.start();
    private final KafkaPublisher<byte[]> publisher;
    private final KafkaProducer<byte[], byte[]> producer;
    private long sent;

    KafkaTarget() throws Exception {
        Map<String, Object> settings = Map.of("bootstrap.servers", server.direct());
        try (Admin admin = Admin.create(settings)) {
            admin.createTopics(List.of(new NewTopic(Load.TOPIC, PARTITIONS, (short) 1)))
                    .all()
                    .get(60, TimeUnit.SECONDS);
        }
        producer = new KafkaProducer<>(
                Map.of("bootstrap.servers", server.direct(), "acks", "all"),
                new ByteArraySerializer(),
                new ByteArraySerializer());
        send(1); // which waits until the topic is known
        publisher = KafkaPublisher.<byte[]>builder(settings).topic(Load.TOPIC).build();
    }

    @Override
    public String version() {
        return "Kafka, one node, acks=all";
    }

    @Override
    public AsyncBrokerPublisher<byte[]> publisher() {
        return publisher;
    }

    @Override
    @SuppressWarnings("FutureReturnValueIgnored") // the callback is told the same
    public void send(int messages) throws Exception {
        AtomicReference<@Nullable Exception> failure = new AtomicReference<>();
        for (int m = 0; m < messages; m++) {
            byte[] key = BrokerTarget.key(sent).getBytes(StandardCharsets.UTF_8);
            ProducerRecord<byte[], byte[]> message = new ProducerRecord<>(Load.TOPIC, key, PAYLOAD);
            BrokerTarget.headers(BrokerTarget.id(sent++))
                    .forEach((name, value) -> message.headers().add(name, value.getBytes(StandardCharsets.UTF_8)));
            producer.send(message, (metadata, thrown) -> {
                if (thrown != null) {
                    failure.set(thrown);
                }
            });
        }
        producer.flush();
        Exception thrown = failure.get();
        if (thrown != null) {
            throw thrown;
        }
    }

    @Override
    public void clear() {
        // A log that is longer is not slower.
    }

    @Override
    public void close() throws Exception {
        publisher.close();
        producer.close();
        server.close();
    }
}
