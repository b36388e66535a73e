package dev.outbox.sqs;

import dev.outbox.CloudEvents;
import dev.outbox.Delivery;
import dev.outbox.OutboxHeaders;
import dev.outbox.PermanentFailureException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Turns deliveries into messages of SQS, and refuses what SQS has no place for.
 *
 * @param group the message group, or null for that of the partition
 */
record Messages<T>(
        boolean fifo,
        @Nullable Function<? super Delivery<T>, String> group,
        @Nullable CloudEvents<? super T> cloudEvents) {
    static final int LONGEST_ID = 128;
    private static final int MOST_ATTRIBUTES = 10;
    private static final String TYPE = "String";

    /** In this order headers become attributes, as long as there is room. Those of CloudEvents follow the first. */
    private static final List<String> FIRST = List.of(
            OutboxHeaders.ID,
            OutboxHeaders.CONTENT_TYPE,
            OutboxHeaders.TOPIC,
            OutboxHeaders.KEY,
            OutboxHeaders.TRACEPARENT,
            OutboxHeaders.TRACESTATE,
            OutboxHeaders.BAGGAGE);

    private static final String CLOUD_EVENTS = "ce-";

    private static final Comparator<String> BY_RANK =
            Comparator.<String>comparingInt(Messages::rank).thenComparing(Comparator.naturalOrder());

    private static int rank(String name) {
        int place = FIRST.indexOf(name);
        if (place > 0) {
            return place + 1;
        }
        return place == 0 ? 0 : name.startsWith(CLOUD_EVENTS) ? 1 : Integer.MAX_VALUE;
    }

    Outgoing of(Delivery<T> delivery) {
        String text = SqsMessages.textOf(delivery.payload());
        Map<String, String> attributes = new LinkedHashMap<>();
        String body;
        int bytes; // of the body; what is no text becomes ASCII
        if (text != null) {
            body = text;
            bytes = delivery.payload().length;
        } else if (delivery.payload().length == 0) {
            attributes.put(SqsMessages.ENCODING, SqsMessages.EMPTY);
            body = SqsMessages.NO_BYTES;
            bytes = body.length();
        } else {
            attributes.put(SqsMessages.ENCODING, SqsMessages.BASE64);
            body = Base64.getEncoder().encodeToString(delivery.payload());
            bytes = body.length();
        }
        place(headers(delivery), attributes);
        String order = order(delivery.topic(), delivery.partition());
        return new Outgoing(
                delivery.id(),
                order,
                groupOf(delivery, order),
                fifo ? checked("id", delivery.id()) : null,
                body,
                attributes,
                bytes + size(attributes));
    }

    static String order(String topic, int partition) {
        return topic + "/" + partition;
    }

    private @Nullable String groupOf(Delivery<T> delivery, String order) {
        if (group != null) {
            return checked("message group", group.apply(delivery));
        }
        return fifo ? checked("message group", order) : null;
    }

    private static String checked(String what, @Nullable String text) {
        if (text == null
                || text.isEmpty()
                || text.length() > LONGEST_ID
                || !text.chars().allMatch(c -> c > ' ' && c <= '~')) {
            throw new PermanentFailureException("The " + what + " of the message is '" + text + "'; SQS takes 1 to "
                    + LONGEST_ID + " letters, digits and punctuation characters of ASCII.");
        }
        return text;
    }

    private Map<String, String> headers(Delivery<T> delivery) {
        Map<String, String> headers = new HashMap<>(OutboxHeaders.of(delivery));
        if (delivery.key() != null) {
            headers.put(OutboxHeaders.KEY, delivery.key());
        }
        if (cloudEvents != null) {
            cloudEvents
                    .attributes(delivery)
                    .forEach((name, value) -> headers.put(
                            name.equals("datacontenttype") ? OutboxHeaders.CONTENT_TYPE : CLOUD_EVENTS + name, value));
        }
        return headers;
    }

    /** Headers become attributes. Those that cannot, and those that there is no room for, share the last one. */
    private static void place(Map<String, String> headers, Map<String, String> attributes) {
        Map<String, String> fit = new TreeMap<>(BY_RANK);
        Map<String, String> packed = new TreeMap<>();
        headers.forEach((name, value) -> (SqsMessages.isAttribute(name, value) ? fit : packed).put(name, value));
        int room = MOST_ATTRIBUTES - attributes.size();
        if (!packed.isEmpty() || fit.size() > room) {
            room--;
        }
        for (Map.Entry<String, String> header : fit.entrySet()) {
            Map<String, String> place = room-- > 0 ? attributes : packed;
            place.put(header.getKey(), header.getValue());
        }
        if (!packed.isEmpty()) {
            attributes.put(SqsMessages.HEADERS, SqsMessages.pack(packed));
        }
    }

    private static long size(Map<String, String> attributes) {
        long size = 0;
        for (Map.Entry<String, String> attribute : attributes.entrySet()) {
            size += bytes(attribute.getKey()) + TYPE.length() + bytes(attribute.getValue());
        }
        return size;
    }

    private static int bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8).length;
    }
}
