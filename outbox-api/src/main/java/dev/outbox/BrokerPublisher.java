package dev.outbox;

import org.jspecify.annotations.Nullable;

/**
 * Hands one message to the real broker and returns when the broker has it. <b>What returns without an exception counts as
 * published</b>, and the message is deleted. Clients whose {@code send} returns at once, with a future, have to be waited for:
 *
 * <pre>{@code
 * .publisher(delivery -> {
 *     producer.send(new ProducerRecord<>("orders", delivery.key(), delivery.payload()))
 *             .get(30, TimeUnit.SECONDS); // without it, messages are lost while the broker is away
 *     return null;
 * })
 * }</pre>
 *
 * or be an {@link AsyncBrokerPublisher}, which returns the future. Called by the relay's workers and their helpers, so it must be
 * safe for use by as many threads as {@link Relay.Builder#workers} and {@link Relay.Builder#publishers} say. It should have a time
 * limit of its own: while it waits, the batch stays open, and the partitions in it wait.
 *
 * @param <T> type of the messages
 */
@FunctionalInterface
public interface BrokerPublisher<T> {
    /**
     * Publishes a message. It may come again with the same {@link Delivery#id} after a crash; consumers recognise it by
     * that.
     *
     * @return what the broker called the message, or null if it said nothing
     * @throws Exception anything: the message then failed, and its topic's {@link RetryPolicy} says what happens next
     */
    @Nullable
    String publish(Delivery<T> delivery) throws Exception;
}
