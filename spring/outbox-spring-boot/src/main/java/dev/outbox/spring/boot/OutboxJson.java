package dev.outbox.spring.boot;

import dev.outbox.Codec;

/**
 * Makes codecs for JSON by the mapper of the application, as Spring Boot has configured it: by Jackson 3 with Spring
 * Boot 4, and by Jackson 2 with Spring Boot 3.5. Safe for use by several threads.
 *
 * <pre>{@code
 * @Bean
 * Topic<Order> orders(OutboxJson json, KafkaPublisher<Order> kafka) {
 *     return Topic.builder("orders", json.codec(Order.class)).asyncPublisher(kafka).build();
 * }
 * }</pre>
 *
 * <p>A codec refuses only what the mapper refuses. {@code Topic.builder(name, type)} is stricter: it uses a mapper of
 * its own, and rejects messages that would not come back equal.
 */
public interface OutboxJson {
    /** A codec for messages of a type. */
    <T> Codec<T> codec(Class<T> type);
}
