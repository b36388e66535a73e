package dev.outbox.spring.modulith;

import dev.outbox.Codec;
import dev.outbox.MessageRejectedException;
import dev.outbox.Topic;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.util.ClassUtils;

/**
 * An event on its way to a topic.
 *
 * @param payload the event, or what it was mapped to
 * @param key its routing key, or null if the topic decides
 * @param headers those of Spring Modulith, in addition to those of the topic
 */
record ExternalizedEvent(Object payload, @Nullable String key, Map<String, String> headers) {
    private static final String MESSAGE = "org.springframework.messaging.Message";

    /** Refuses what an outbox could not keep. */
    static ExternalizedEvent of(Object payload, @Nullable String key, Map<String, Object> headers) {
        if (isMessage(payload.getClass())) {
            throw new MessageRejectedException("An event was mapped to a " + MESSAGE + ". Map it to the payload, and"
                    + " give the headers by headers(...) of the EventExternalizationConfiguration.");
        }
        Map<String, String> texts = new HashMap<>();
        headers.forEach((name, value) -> {
            if (value != null) {
                texts.put(name, text(name, value));
            }
        });
        return new ExternalizedEvent(payload, key, texts);
    }

    private static boolean isMessage(Class<?> type) {
        return ClassUtils.getAllInterfacesForClassAsSet(type).stream()
                .anyMatch(implemented -> implemented.getName().equals(MESSAGE));
    }

    private static String text(String name, Object value) {
        if (!ClassUtils.isSimpleValueType(value.getClass())) {
            throw new MessageRejectedException("The header " + name + " of an event is of type "
                    + value.getClass().getName() + "; expected text, or a simple value such as a number or a date.");
        }
        return value.toString();
    }

    /** A topic for events that are written to the given one. Its messages are the same to relays. */
    static <T> Topic<ExternalizedEvent> topic(Topic<T> topic) {
        Topic.Builder<ExternalizedEvent> builder = Topic.builder(topic.name(), codec(topic.codec()))
                .key(event -> event.key() != null ? event.key() : topic.key().apply(event.<T>message()))
                .headers(event -> {
                    Map<String, String> headers = new HashMap<>(topic.headers().apply(event.<T>message()));
                    headers.putAll(event.headers());
                    return headers;
                })
                .partitions(topic.partitions());
        topic.listeners().forEach(builder::listener);
        return builder.build();
    }

    private static <T> Codec<ExternalizedEvent> codec(Codec<T> codec) {
        return new Codec<>() {
            @Override
            public byte[] encode(ExternalizedEvent event) throws Exception {
                return codec.encode(event.<T>message());
            }

            @Override
            public ExternalizedEvent decode(byte[] payload) {
                throw new UnsupportedOperationException("Relays have the topic of the application.");
            }
        };
    }

    /** If it is no message of the topic, its functions throw a ClassCastException, which rejects the event. */
    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
    private <T> T message() {
        return (T) payload;
    }
}
