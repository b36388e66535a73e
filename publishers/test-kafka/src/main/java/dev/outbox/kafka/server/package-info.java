/** Kafka for tests, to be run in a JVM of its own. */
@NullMarked
package dev.outbox.kafka.server;

import org.jspecify.annotations.NullMarked;
