/** Hands messages of an outbox to Kafka: {@link dev.outbox.kafka.KafkaPublisher}. */
@NullMarked
package dev.outbox.kafka;

import org.jspecify.annotations.NullMarked;
