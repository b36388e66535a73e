package dev.outbox;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The names of headers that messages have at the broker, for publishers and consumers. A broker that has properties of
 * its own for the same facts, such as the message id of AMQP, gets them there, too.
 */
public final class OutboxHeaders {
    /**
     * {@link Delivery#id}: the same on every delivery of a message, and never that of another message. A consumer
     * recognises duplicates by it.
     */
    public static final String ID = "outbox-id";

    /** {@link Delivery#topic}: the topic of the outbox, which need not be the name of the destination at the broker. */
    public static final String TOPIC = "outbox-topic";

    /**
     * {@link Delivery#key}, of messages that have one, at brokers whose messages have no key of their own: RabbitMQ,
     * NATS and SQS. Kafka's records have a key.
     */
    public static final String KEY = "outbox-key";

    /**
     * The media type of the payload, such as {@code application/json}. A message has it if the application gave it a
     * header with this name, or by {@link CloudEvents#contentType}.
     */
    public static final String CONTENT_TYPE = "content-type";

    /**
     * The trace that a message belongs to, as W3C Trace Context writes it. Reserved for code that traces: publishers
     * hand it on as the application, or an interceptor of the relay, has set it.
     */
    public static final String TRACEPARENT = "traceparent";

    /** What vendors add to a trace; otherwise as {@link #TRACEPARENT}. */
    public static final String TRACESTATE = "tracestate";

    /** Values that follow a trace, as W3C Baggage writes them; otherwise as {@link #TRACEPARENT}. */
    public static final String BAGGAGE = "baggage";

    private OutboxHeaders() {}

    /**
     * The headers that a message has at the broker: its own, and {@link #ID} and {@link #TOPIC}. They replace headers
     * of the message with the same names, because consumers rely on them.
     *
     * @return unmodifiable
     */
    public static Map<String, String> of(Delivery<?> delivery) {
        Map<String, String> headers = new LinkedHashMap<>(delivery.headers());
        headers.put(ID, delivery.id());
        headers.put(TOPIC, delivery.topic());
        return Collections.unmodifiableMap(headers);
    }
}
