package dev.outbox.examples.shop;

import dev.outbox.OutboxHeaders;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.jspecify.annotations.Nullable;

/**
 * A message as Kafka has it.
 *
 * @param id what the outbox calls it
 * @param customer its key
 * @param text the order as JSON
 * @param millis when it was sent to Kafka
 */
record Consumed(String id, String customer, String text, long millis) {
    /** All that a topic has now; those of one partition are in their order. */
    static List<Consumed> all(String servers, String topic) {
        List<Consumed> all = new ArrayList<>();
        try (KafkaConsumer<String, String> consumer = new KafkaConsumer<>(
                Map.of("bootstrap.servers", servers), new StringDeserializer(), new StringDeserializer())) {
            List<TopicPartition> partitions = consumer.partitionsFor(topic).stream()
                    .map(partition -> new TopicPartition(topic, partition.partition()))
                    .toList();
            consumer.assign(partitions);
            consumer.seekToBeginning(partitions);
            Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
            while (ends.entrySet().stream().anyMatch(end -> consumer.position(end.getKey()) < end.getValue())) {
                for (ConsumerRecord<String, String> message : consumer.poll(Duration.ofMillis(200))) {
                    all.add(new Consumed(id(message), message.key(), message.value(), message.timestamp()));
                }
            }
        }
        return all;
    }

    private static String id(ConsumerRecord<String, String> message) {
        byte @Nullable [] id = message.headers().lastHeader(OutboxHeaders.ID).value();
        return id == null ? "" : new String(id, StandardCharsets.UTF_8);
    }

    /** The number of the order. */
    String number() {
        String before = "\"number\":\"";
        int start = text.indexOf(before) + before.length();
        return text.substring(start, text.indexOf('"', start));
    }
}
