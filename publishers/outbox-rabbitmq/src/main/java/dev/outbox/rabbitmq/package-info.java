/** A publisher to RabbitMQ, over its own Java client. {@code docs/RABBITMQ.md} has the settings. */
package dev.outbox.rabbitmq;
