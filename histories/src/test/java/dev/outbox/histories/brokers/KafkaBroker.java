package dev.outbox.histories.brokers;

import dev.outbox.OutboxHeaders;
import dev.outbox.processes.Await;
import dev.outbox.servers.KafkaCluster;
import dev.outbox.servers.KafkaServer;
import dev.outbox.servers.Killable;
import dev.outbox.servers.TcpProxy;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/** Kafka, in processes of its own. */
final class KafkaBroker extends Broker {
    private static final String TOPIC = "history";
    private static final int PARTITIONS = 4;

    private final String direct;
    private final String proxied;
    private final int nodes;

    /** One node. */
    KafkaBroker(KafkaServer server) throws Exception {
        this(server, server.network(), server.direct(), server.proxied(), 1);
    }

    /** All nodes have every message, and two of them must have it before it counts as taken. */
    KafkaBroker(KafkaCluster cluster) throws Exception {
        this(cluster, cluster.network(), cluster.direct(), cluster.proxied(), cluster.size());
    }

    private KafkaBroker(Killable server, TcpProxy network, String direct, String proxied, int nodes) throws Exception {
        super(server, network);
        this.direct = direct;
        this.proxied = proxied;
        this.nodes = nodes;
        try (Admin admin = admin()) {
            NewTopic topic = new NewTopic(TOPIC, PARTITIONS, (short) nodes)
                    .configs(Map.of("min.insync.replicas", String.valueOf(1 + nodes / 2)));
            admin.createTopics(List.of(topic)).all().get(60, TimeUnit.SECONDS);
        }
    }

    private Admin admin() {
        return Admin.create(settings());
    }

    /** Of clients that soon ask another node if one does not answer. */
    private Map<String, Object> settings() {
        return Map.of("bootstrap.servers", direct, "request.timeout.ms", 5_000);
    }

    @Override
    String address() {
        return "kafka " + proxied + " " + TOPIC;
    }

    /** The others go on without the node first. The next fault meets a cluster that is whole. */
    @Override
    void restart() throws Exception {
        awaitOthers();
        super.restart();
        awaitInSync(nodes);
    }

    @Override
    void resume() throws Exception {
        awaitOthers();
        super.resume();
        awaitInSync(nodes);
    }

    private void awaitOthers() throws Exception {
        if (nodes > 1) {
            awaitInSync(nodes - 1);
            int before = arrivals().size();
            Await.until("messages arrive without the node", () -> arrivals().size() > before + 100);
        }
    }

    private void awaitInSync(int replicas) throws Exception {
        if (nodes == 1) {
            return;
        }
        try (Admin admin = admin()) {
            Await.until(
                    replicas + " replicas are in sync",
                    () -> describe(admin).partitions().stream()
                            .allMatch(partition -> partition.isr().size() == replicas
                                    && partition.isr().contains(partition.leader())));
        }
    }

    private static TopicDescription describe(Admin admin) throws Exception {
        return Objects.requireNonNull(admin.describeTopics(Set.of(TOPIC))
                .allTopicNames()
                .get(60, TimeUnit.SECONDS)
                .get(TOPIC));
    }

    @Override
    List<Arrival> arrivals() {
        List<TopicPartition> partitions = IntStream.range(0, PARTITIONS)
                .mapToObj(partition -> new TopicPartition(TOPIC, partition))
                .toList();
        List<Arrival> arrivals = new ArrayList<>();
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(settings(), new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
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
