package dev.outbox.nats;

import dev.outbox.CloudEvents;
import dev.outbox.Delivery;
import dev.outbox.OutboxHeaders;
import dev.outbox.PermanentFailureException;
import io.nats.client.impl.Headers;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** Turns deliveries into messages of NATS, and refuses what NATS has no place for. */
record Messages<T>(
        Function<? super Delivery<T>, String> subject,
        @Nullable CloudEvents<? super T> cloudEvents) {
    /** Headers by which a client instructs the server: to remove other messages, among much else. */
    private static final String OF_THE_SERVER = "nats-";

    /** NATS takes 65535 bytes, and the publisher adds the names of the message and of the stream. */
    private static final int LARGEST_HEADERS = 65_535 - 1_024;

    Outgoing of(Delivery<T> delivery) {
        String to = subject.apply(delivery);
        String fault = Subjects.fault(to);
        if (fault != null) {
            throw new PermanentFailureException(
                    "The message cannot be published to subject '" + to + "': " + fault + ".");
        }
        Headers headers = new Headers();
        for (Map.Entry<String, String> header : OutboxHeaders.of(delivery).entrySet()) {
            headers.put(checked(header.getKey()), NatsHeaders.encode(header.getValue()));
        }
        if (delivery.key() != null) {
            headers.put(OutboxHeaders.KEY, NatsHeaders.encode(delivery.key()));
        }
        if (cloudEvents != null) {
            for (Map.Entry<String, String> attribute :
                    cloudEvents.attributes(delivery).entrySet()) {
                if (attribute.getKey().equals("datacontenttype")) {
                    headers.put(OutboxHeaders.CONTENT_TYPE, NatsHeaders.encode(attribute.getValue()));
                }
                headers.put("ce-" + attribute.getKey(), NatsHeaders.encodeAttribute(attribute.getValue()));
            }
        }
        if (headers.serializedLength() > LARGEST_HEADERS) {
            throw new PermanentFailureException("The headers of the message have " + headers.serializedLength()
                    + " bytes; NATS takes " + LARGEST_HEADERS + ".");
        }
        return new Outgoing(
                delivery.id(), delivery.topic() + "/" + delivery.partition(), to, headers, delivery.payload());
    }

    private static String checked(String name) {
        if (!NatsHeaders.isWithin(name, '!', '~') || name.indexOf(':') >= 0) {
            throw new PermanentFailureException(
                    "The message has a header '" + name + "'; NATS allows ASCII without blanks and colons in a name.");
        }
        if (name.regionMatches(true, 0, OF_THE_SERVER, 0, OF_THE_SERVER.length())) {
            throw new PermanentFailureException("The message has a header " + name
                    + ", which instructs the server of NATS; give the header another name.");
        }
        return name;
    }
}
