package dev.outbox.rabbitmq;

import com.rabbitmq.client.AMQP;

/**
 * A message as the broker gets it.
 *
 * @param id by which the broker's answer is matched if it returns the message
 * @param order names what is kept in order: messages of the same order go through the same channel
 */
@SuppressWarnings("ArrayRecordComponent") // nobody compares it
record Outgoing(String id, String order, String routingKey, AMQP.BasicProperties properties, byte[] body) {}
