/** A publisher to NATS JetStream, over its own Java client. {@code docs/NATS.md} has settings and promises. */
package dev.outbox.nats;
