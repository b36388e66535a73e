package dev.outbox.nats;

import io.nats.client.impl.Headers;

/**
 * A message as the broker gets it.
 *
 * @param order names what is kept in order
 */
@SuppressWarnings("ArrayRecordComponent") // nobody compares it
record Outgoing(String id, String order, String subject, Headers headers, byte[] body) {}
