package dev.outbox.kafka;

import dev.outbox.ConfigurationException;
import java.time.Duration;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/**
 * The settings of a producer: those of the application, checked, and those that a publisher needs.
 *
 * <p>Order and safety depend on four of them. With {@code acks=all}, an answer means that all replicas in sync have the
 * message. With {@code enable.idempotence}, the broker refuses a batch if the one before it is missing, and drops a
 * batch that it has already. It does so for at most 5 requests in flight. It cannot do so for the first batches of a
 * producer, because it does not know yet which one is the first. A publisher makes a new producer after each outage, so
 * it has one request in flight. A {@code transactional.id} would keep messages invisible until a commit, which a
 * publisher does not do.
 */
final class ProducerSettings {
    private static final AtomicInteger NUMBERS = new AtomicInteger();
    private static final int MAX_IN_FLIGHT = 5;

    /** What a producer has by default that nobody has set anything for. */
    private static final int KAFKA_DELIVERY_TIMEOUT = 120_000;

    private static final int KAFKA_MAX_BLOCK = 60_000;
    private static final int KAFKA_REQUEST_TIMEOUT = 30_000;
    private static final int KAFKA_LINGER = 5;

    private final Map<String, Object> all;
    private final int maxBlock;
    private final int deliveryTimeout;
    private final int requestsInFlight;

    private ProducerSettings(Map<String, Object> all, int maxBlock, int deliveryTimeout) {
        this.requestsInFlight = number(all, ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION, MAX_IN_FLIGHT);
        this.all = Collections.unmodifiableMap(all);
        this.maxBlock = maxBlock;
        this.deliveryTimeout = deliveryTimeout;
    }

    /** Those for a producer of our own. */
    static ProducerSettings ofOurs(Map<String, ?> given) {
        Map<String, Object> all = new LinkedHashMap<>(given);
        refuseWhatUndoes(all);
        all.put(ProducerConfig.ACKS_CONFIG, "all");
        all.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
        all.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
        all.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
        all.putIfAbsent(ProducerConfig.CLIENT_ID_CONFIG, "outbox-" + NUMBERS.incrementAndGet());
        all.putIfAbsent(ProducerConfig.MAX_BLOCK_MS_CONFIG, 5_000);
        all.putIfAbsent(ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, 45_000);
        all.putIfAbsent(ProducerConfig.LINGER_MS_CONFIG, 0);
        all.putIfAbsent(ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION, 1);
        // A producer that is closed by its own thread, as ours is, logs an error of this reporter each time.
        all.putIfAbsent(ProducerConfig.ENABLE_METRICS_PUSH_CONFIG, false);
        int deliveryTimeout = number(all, ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, 0);
        int linger = number(all, ProducerConfig.LINGER_MS_CONFIG, 0);
        all.putIfAbsent(
                ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, Math.max(1, Math.min(15_000, deliveryTimeout - linger)));
        return new ProducerSettings(all, number(all, ProducerConfig.MAX_BLOCK_MS_CONFIG, 0), deliveryTimeout);
    }

    /** Those that the producer of an application was made with. */
    static ProducerSettings ofTheirs(Map<String, ?> given) {
        Map<String, Object> all = new LinkedHashMap<>(given);
        refuseWhatUndoes(all);
        // Unless it is set, the producer makes it long enough for these two.
        long linger = number(all, ProducerConfig.LINGER_MS_CONFIG, KAFKA_LINGER);
        long together = linger + number(all, ProducerConfig.REQUEST_TIMEOUT_MS_CONFIG, KAFKA_REQUEST_TIMEOUT);
        int otherwise = (int) Math.min(Integer.MAX_VALUE, Math.max(KAFKA_DELIVERY_TIMEOUT, together));
        return new ProducerSettings(
                all,
                number(all, ProducerConfig.MAX_BLOCK_MS_CONFIG, KAFKA_MAX_BLOCK),
                number(all, ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, otherwise));
    }

    private static void refuseWhatUndoes(Map<String, Object> all) {
        String acks = text(all, ProducerConfig.ACKS_CONFIG);
        if (acks != null && !acks.equals("all") && !acks.equals("-1")) {
            throw refused(ProducerConfig.ACKS_CONFIG, acks, "all", "a message with fewer acknowledgements may be lost");
        }
        String idempotence = text(all, ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG);
        if (idempotence != null && !idempotence.equalsIgnoreCase("true")) {
            throw refused(
                    ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, idempotence, "true", "retries could change the order");
        }
        int inFlight = number(all, ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION, MAX_IN_FLIGHT);
        if (inFlight > MAX_IN_FLIGHT) {
            throw refused(
                    ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION,
                    Integer.toString(inFlight),
                    "1 to " + MAX_IN_FLIGHT,
                    "retries could change the order");
        }
        if (text(all, ProducerConfig.TRANSACTIONAL_ID_CONFIG) != null) {
            throw new ConfigurationException("The setting " + ProducerConfig.TRANSACTIONAL_ID_CONFIG
                    + " is set; remove it, because the publisher does not use transactions of Kafka: they cannot"
                    + " include the outbox.");
        }
        String ignoreKeys = text(all, ProducerConfig.PARTITIONER_IGNORE_KEYS_CONFIG);
        if (ignoreKeys != null && ignoreKeys.equalsIgnoreCase("true")) {
            throw refused(
                    ProducerConfig.PARTITIONER_IGNORE_KEYS_CONFIG,
                    ignoreKeys,
                    "false",
                    "messages with equal keys would be in several partitions, without order");
        }
        String partitioner = text(all, ProducerConfig.PARTITIONER_CLASS_CONFIG);
        if (partitioner != null && partitioner.contains("RoundRobinPartitioner")) {
            throw refused(
                    ProducerConfig.PARTITIONER_CLASS_CONFIG,
                    partitioner,
                    "one that partitions by the key",
                    "messages with equal keys would be in several partitions, without order");
        }
    }

    private static ConfigurationException refused(String name, String value, String expected, String reason) {
        return new ConfigurationException("The setting " + name + " is " + value + "; expected " + expected
                + ", or leave it out, because " + reason + ".");
    }

    private static @Nullable String text(Map<String, ?> settings, String name) {
        Object value = settings.get(name);
        return value == null ? null : value.toString().strip();
    }

    private static int number(Map<String, ?> settings, String name, int otherwise) {
        String value = text(settings, name);
        if (value == null) {
            return otherwise;
        }
        try {
            return Math.toIntExact(Long.parseLong(value));
        } catch (NumberFormatException | ArithmeticException e) {
            throw new ConfigurationException("The setting " + name + " is " + value + "; expected a number.", e);
        }
    }

    /** The name of the client, for texts. */
    String clientId() {
        return String.valueOf(all.get(ProducerConfig.CLIENT_ID_CONFIG));
    }

    Map<String, Object> all() {
        return all;
    }

    /** How many requests the producer may have under way to one broker. */
    int requestsInFlight() {
        return requestsInFlight;
    }

    /** How long a call of the producer may wait for the broker. */
    Duration maxBlock() {
        return Duration.ofMillis(maxBlock);
    }

    /** After what time every message is answered: the call may wait, and then the message may. */
    Duration longestAnswer() {
        return Duration.ofMillis((long) maxBlock + deliveryTimeout);
    }

    /** For texts: which settings make up that time. */
    String describedTime() {
        return ProducerConfig.MAX_BLOCK_MS_CONFIG + " and " + ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG + ", "
                + maxBlock + " ms and " + deliveryTimeout + " ms";
    }
}
