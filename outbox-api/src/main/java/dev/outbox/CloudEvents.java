package dev.outbox;

import java.net.URI;
import java.net.URISyntaxException;
import java.time.format.DateTimeFormatter;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Makes CloudEvents 1.0 of messages, in binary mode: the payload stays as it is, and attributes are headers. A
 * publisher knows how its broker writes attributes: Kafka has {@code ce_id}, AMQP {@code cloudEvents:id}, NATS and SQS
 * {@code ce-id}. Immutable and safe for use by several threads.
 *
 * <pre>{@code
 * CloudEvents.<Order>from("https://shop.example/orders").type(order -> "example.shop.order." + order.kind())
 * }</pre>
 *
 * @param <T> type of the messages
 */
public final class CloudEvents<T> {
    private final String source;
    private final @Nullable Function<? super T, String> type;
    private final @Nullable Function<? super T, ? extends @Nullable String> subject;
    private final @Nullable String contentType;
    private final boolean partitionKey;

    private CloudEvents(
            String source,
            @Nullable Function<? super T, String> type,
            @Nullable Function<? super T, ? extends @Nullable String> subject,
            @Nullable String contentType,
            boolean partitionKey) {
        this.source = source;
        this.type = type;
        this.subject = subject;
        this.contentType = contentType;
        this.partitionKey = partitionKey;
    }

    /**
     * Events of a source. The id of an event is {@link Delivery#id}. Its time is {@link Delivery#createdAt}. Its type
     * is the name of the topic unless {@link #type} sets another one.
     *
     * @param source where events happen: a URI, or a reference to one
     * @throws ConfigurationException if it is no such text
     */
    public static <T> CloudEvents<T> from(String source) {
        return new CloudEvents<>(checkedSource(source), null, null, null, false);
    }

    /** The same, and every event has this type. */
    public CloudEvents<T> type(String type) {
        if (type.isEmpty()) {
            throw new ConfigurationException("The type of CloudEvents is an empty text; expected a name.");
        }
        return type(message -> type);
    }

    /** The same, and each message says which type its event has: a text that is not empty. */
    public CloudEvents<T> type(Function<? super T, String> type) {
        return new CloudEvents<>(source, Objects.requireNonNull(type, "type"), subject, contentType, partitionKey);
    }

    /** The same, and each message says which subject its event has; no subject where it says null. */
    public CloudEvents<T> subject(Function<? super T, ? extends @Nullable String> subject) {
        return new CloudEvents<>(source, type, Objects.requireNonNull(subject, "subject"), contentType, partitionKey);
    }

    /**
     * The same, and payloads are of this media type, such as {@code application/json}. A message with a header {@link
     * OutboxHeaders#CONTENT_TYPE} has the type of that header.
     */
    public CloudEvents<T> contentType(String contentType) {
        if (contentType.isEmpty()) {
            throw new ConfigurationException(
                    "The content type of CloudEvents is an empty text; expected a media type.");
        }
        return new CloudEvents<>(source, type, subject, contentType, partitionKey);
    }

    /** The same, and the key of a message is also an attribute, the extension {@code partitionkey}. */
    public CloudEvents<T> withPartitionKey() {
        return new CloudEvents<>(source, type, subject, contentType, true);
    }

    /**
     * The attributes of the event, without a prefix, in this order: {@code specversion}, {@code id}, {@code source},
     * {@code type}, {@code time}, and those that the event has of {@code subject}, {@code datacontenttype} and {@code
     * partitionkey}. A publisher writes {@code datacontenttype} where its broker has the media type of a message.
     *
     * @return unmodifiable
     * @throws IllegalArgumentException if the type of the event is null or empty
     */
    public Map<String, String> attributes(Delivery<? extends T> delivery) {
        Map<String, String> attributes = new LinkedHashMap<>();
        attributes.put("specversion", "1.0");
        attributes.put("id", delivery.id());
        attributes.put("source", source);
        attributes.put("type", typeOf(delivery));
        attributes.put("time", DateTimeFormatter.ISO_INSTANT.format(delivery.createdAt()));
        putIfAny(attributes, "subject", subject == null ? null : subject.apply(delivery.message()));
        putIfAny(
                attributes,
                "datacontenttype",
                delivery.headers().getOrDefault(OutboxHeaders.CONTENT_TYPE, contentType == null ? "" : contentType));
        putIfAny(attributes, "partitionkey", partitionKey ? delivery.key() : null);
        return Collections.unmodifiableMap(attributes);
    }

    private String typeOf(Delivery<? extends T> delivery) {
        if (type == null) {
            return delivery.topic();
        }
        String name = type.apply(delivery.message());
        if (name == null || name.isEmpty()) {
            throw new IllegalArgumentException("A message of topic " + delivery.topic()
                    + " has no type as a CloudEvent: the function given to CloudEvents.type returned "
                    + (name == null ? "null" : "an empty text") + ".");
        }
        return name;
    }

    /** An attribute is a text that is not empty, or it is not there. */
    private static void putIfAny(Map<String, String> attributes, String name, @Nullable String value) {
        if (value != null && !value.isEmpty()) {
            attributes.put(name, value);
        }
    }

    private static String checkedSource(String source) {
        try {
            if (!new URI(source).toString().isEmpty()) {
                return source;
            }
        } catch (URISyntaxException e) {
            throw new ConfigurationException(
                    "The source of CloudEvents is no URI: " + e.getMessage() + "; expected one such as /shop/orders.",
                    e);
        }
        throw new ConfigurationException(
                "The source of CloudEvents is an empty text; expected a URI such as /shop/orders.");
    }
}
