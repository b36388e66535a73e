package dev.outbox.kafka;

import dev.outbox.processes.Await;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.AuthorizationException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/** Topics of a server, for tests: made, removed, and read from their beginning. */
final class KafkaTopics {
    private static final int PARTITIONS = 3;

    private final String server;

    KafkaTopics(String server) {
        this.server = server;
    }

    /** An administrator's client, which does not survive faults and is made for each use. */
    Admin admin() {
        return Admin.create(Map.of("bootstrap.servers", server));
    }

    /** Makes a topic, and returns when its partitions can be written. */
    void create(String name) throws Exception {
        try (Admin admin = admin()) {
            admin.createTopics(List.of(new NewTopic(name, PARTITIONS, (short) 1)))
                    .all()
                    .get(60, TimeUnit.SECONDS);
            Await.until("topic " + name + " has leaders", () -> hasLeaders(admin, name));
        }
    }

    private static boolean hasLeaders(Admin admin, String name) {
        try {
            TopicDescription topic = admin.describeTopics(Set.of(name))
                    .allTopicNames()
                    .get(10, TimeUnit.SECONDS)
                    .get(name);
            return topic != null
                    && topic.partitions().stream()
                            .allMatch(partition -> partition.leader() != null
                                    && partition.leader().port() > 0);
        } catch (Exception e) {
            return false; // the server does not know it yet
        }
    }

    void delete(String name) throws Exception {
        try (Admin admin = admin()) {
            admin.deleteTopics(Set.of(name)).all().get(60, TimeUnit.SECONDS);
            Await.until(
                    "topic " + name + " is gone",
                    () -> !admin.listTopics().names().get(60, TimeUnit.SECONDS).contains(name));
            Await.until("the replicas of topic " + name + " are gone", () -> !hasReplicas(admin, name));
        }
    }

    /** A server that no longer lists a topic may take messages of it for a moment. */
    private static boolean hasReplicas(Admin admin, String name) throws Exception {
        List<Integer> nodes = admin.describeCluster().nodes().get(60, TimeUnit.SECONDS).stream()
                .map(Node::id)
                .toList();
        return admin.describeLogDirs(nodes).allDescriptions().get(60, TimeUnit.SECONDS).values().stream()
                .flatMap(folders -> folders.values().stream())
                .flatMap(folder -> folder.replicaInfos().keySet().stream())
                .anyMatch(partition -> partition.topic().equals(name));
    }

    /** Returns once no partition of a topic may be written: a change of the set-up takes effect a moment later. */
    void awaitRefusal(String name) throws Exception {
        Map<String, Object> settings = Map.of(
                "bootstrap.servers", server, "delivery.timeout.ms", 500, "request.timeout.ms", 400, "linger.ms", 0);
        for (int partition = 0; partition < PARTITIONS; partition++) {
            int number = partition;
            Await.until("partition " + number + " of " + name + " takes nothing", () -> {
                try (KafkaProducer<byte[], byte[]> producer =
                        new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
                    producer.send(new ProducerRecord<>(name, number, null, new byte[0]))
                            .get();
                    return false;
                } catch (ExecutionException e) {
                    return e.getCause() instanceof AuthorizationException; // and not that a slow server is late
                }
            });
        }
    }

    /** All records of a topic, those of one partition in their order. */
    List<ConsumerRecord<byte[], byte[]>> records(String name) {
        Map<String, Object> settings = Map.of("bootstrap.servers", server, "enable.auto.commit", false);
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            List<TopicPartition> partitions = new ArrayList<>();
            for (int partition = 0; partition < PARTITIONS; partition++) {
                partitions.add(new TopicPartition(name, partition));
            }
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            List<ConsumerRecord<byte[], byte[]>> records = new ArrayList<>();
            while (ends.entrySet().stream().anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
                consumer.poll(Duration.ofMillis(200)).forEach(records::add);
            }
            return records;
        }
    }

    static @Nullable String text(byte @Nullable [] bytes) {
        return bytes == null ? null : new String(bytes, StandardCharsets.UTF_8);
    }
}
