package dev.outbox.benchmarks;

import dev.outbox.Partitioner;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * What an outbox is filled with: messages all alike, dealt out to the partitions of topic after topic in turn.
 *
 * @param bytes how large a payload is, which is JSON; 60 or more
 * @param keyed whether messages have a key, one for each partition; on SQL only
 */
record Load(int messages, int topics, int partitions, int bytes, boolean keyed) {
    /** The first topic; the only one where it does not matter. */
    static final String TOPIC = "orders";

    static final int USUAL_BYTES = 250;

    /** In one partition of one topic. */
    static Load of(int messages) {
        return new Load(messages, 1, 1, USUAL_BYTES, false);
    }

    Load ofMessages(int more) {
        return new Load(more, topics, partitions, bytes, keyed);
    }

    Load inTopics(int more) {
        return new Load(messages, more, partitions, bytes, keyed);
    }

    Load inPartitions(int more) {
        return new Load(messages, topics, more, bytes, keyed);
    }

    Load ofBytes(int larger) {
        return new Load(messages, topics, partitions, larger, keyed);
    }

    Load withKeys() {
        return new Load(messages, topics, partitions, bytes, true);
    }

    /** For each partition of a topic a key that belongs there. */
    static List<String> keys(int partitions) {
        return IntStream.range(0, partitions)
                .mapToObj(partition -> IntStream.iterate(0, n -> n + 1)
                        .mapToObj(n -> "customer-" + n)
                        .filter(key -> Partitioner.partitionOf(key, partitions) == partition)
                        .findFirst()
                        .orElseThrow())
                .toList();
    }

    static String topic(int number) {
        return number == 0 ? TOPIC : TOPIC + "-" + number;
    }

    List<String> topicNames() {
        return IntStream.range(0, topics).mapToObj(Load::topic).toList();
    }

    /** Which partition, of all topics, message number n is in. */
    int lane(int n) {
        return n % (topics * partitions);
    }

    byte[] payload() {
        return payload(bytes);
    }

    static byte[] payload(int bytes) {
        byte[] payload = new byte[bytes];
        Arrays.fill(payload, (byte) 'x');
        byte[] head = "{\"customer\":\"c-4711\",\"amount\":1299,\"note\":\"".getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(head, 0, payload, 0, head.length);
        payload[bytes - 2] = '"';
        payload[bytes - 1] = '}';
        return payload;
    }
}
