package dev.outbox.benchmarks;

import dev.outbox.AsyncBrokerPublisher;
import dev.outbox.OutboxHeaders;
import java.util.List;
import java.util.Map;
import java.util.UUID;

/** A broker, and the two ways to it: the publisher, and its client by hand. */
interface BrokerTarget {
    /** How many partitions the outbox has, and the destination if it has any. */
    int PARTITIONS = 16;

    /** A key for each partition. */
    List<String> KEYS = Load.keys(PARTITIONS);

    /** What the broker says it is, or is known to be. */
    String version() throws Exception;

    /** What the relay publishes with. It is kept until {@link #close}. */
    AsyncBrokerPublisher<byte[]> publisher();

    /**
     * Sends messages as the publisher would, by the bare client, as fast as that allows. Returns when the broker has
     * confirmed all of them, as durably as it does to the publisher.
     */
    void send(int messages) throws Exception;

    /** Removes what arrived. */
    void clear() throws Exception;

    void close() throws Exception;

    /** The headers that a message has in addition to its own. */
    static Map<String, String> headers(String id) {
        return Map.of(OutboxHeaders.ID, id, OutboxHeaders.TOPIC, Load.TOPIC);
    }

    /** The key of a message that is sent by hand. */
    static String key(long number) {
        return KEYS.get((int) (number % PARTITIONS));
    }

    /** An id as long as those of outbox. */
    static String id(long number) {
        return new UUID(Long.MIN_VALUE, number).toString();
    }
}
