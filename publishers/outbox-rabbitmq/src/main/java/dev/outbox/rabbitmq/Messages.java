package dev.outbox.rabbitmq;

import com.rabbitmq.client.AMQP;
import dev.outbox.CloudEvents;
import dev.outbox.Delivery;
import dev.outbox.OutboxHeaders;
import dev.outbox.PermanentFailureException;
import java.nio.charset.StandardCharsets;
import java.util.Date;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Turns deliveries into messages of AMQP. It refuses what the client would refuse: the client counts a message also if
 * it cannot write it, and then no later confirm on its channel can be trusted.
 */
record Messages<T>(
        Function<? super Delivery<T>, String> routingKey,
        @Nullable CloudEvents<? super T> cloudEvents,
        String prefix) {
    private static final int PERSISTENT = 2;
    private static final int SHORT_STRING = 255;

    /** Headers that RabbitMQ reads itself, and that must be lists of routing keys. */
    private static final Set<String> ROUTING = Set.of("CC", "BCC");

    /** Of a frame with properties, all but the table of headers, at most. */
    private static final int OTHER_PROPERTIES = 2_048;

    /** The lengths of its name and of its value, and the type. */
    private static final int OF_A_HEADER = 6;

    private static final long MOST_BYTES_OF_A_CHAR = 3;

    Outgoing of(Delivery<T> delivery, int frameMax) {
        Map<String, Object> headers = new HashMap<>(OutboxHeaders.of(delivery));
        String contentType = delivery.headers().get(OutboxHeaders.CONTENT_TYPE);
        if (delivery.key() != null) {
            headers.put(OutboxHeaders.KEY, delivery.key());
        }
        if (cloudEvents != null) {
            for (Map.Entry<String, String> attribute :
                    cloudEvents.attributes(delivery).entrySet()) {
                if (attribute.getKey().equals("datacontenttype")) {
                    contentType = attribute.getValue();
                } else {
                    headers.put(prefix + attribute.getKey(), attribute.getValue());
                }
            }
        }
        String key = checked("routing key", routingKey.apply(delivery));
        requireFrame(headers, frameMax);
        AMQP.BasicProperties properties = new AMQP.BasicProperties.Builder()
                .deliveryMode(PERSISTENT)
                .messageId(checked("id", delivery.id()))
                .timestamp(Date.from(delivery.createdAt()))
                .type(delivery.topic())
                .contentType(contentType == null ? null : checked("content type", contentType))
                .headers(headers)
                .build();
        return new Outgoing(
                delivery.id(), delivery.topic() + "/" + delivery.partition(), key, properties, delivery.payload());
    }

    private static String checked(String what, @Nullable String text) {
        if (text == null) {
            throw new PermanentFailureException("The " + what + " of the message is null; expected a text.");
        }
        if (text.length() * 3 > SHORT_STRING && bytes(text) > SHORT_STRING) {
            throw new PermanentFailureException("The " + what + " of the message has " + bytes(text)
                    + " bytes; AMQP allows " + SHORT_STRING + ". It starts '" + text.substring(0, 40) + "'.");
        }
        return text;
    }

    /** Headers have one frame, whatever their number. They are encoded to be counted only if they might not fit. */
    private static void requireFrame(Map<String, Object> headers, int frameMax) {
        long most = OTHER_PROPERTIES;
        for (Map.Entry<String, Object> header : headers.entrySet()) {
            if (ROUTING.contains(checked("name of a header", header.getKey()))) {
                throw new PermanentFailureException("The message has a header " + header.getKey()
                        + ", by which RabbitMQ routes; give the header another name.");
            }
            long chars = (long) header.getKey().length() + ((String) header.getValue()).length();
            most += OF_A_HEADER + MOST_BYTES_OF_A_CHAR * chars;
        }
        if (frameMax <= 0 || most <= frameMax) {
            return;
        }
        long size = OTHER_PROPERTIES;
        for (Map.Entry<String, Object> header : headers.entrySet()) {
            size += OF_A_HEADER + bytes(header.getKey()) + bytes((String) header.getValue());
        }
        if (size > frameMax) {
            throw new PermanentFailureException("The headers of the message have about " + size
                    + " bytes; the frame_max of the connection is " + frameMax + ".");
        }
    }

    private static int bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8).length;
    }
}
