package dev.outbox;

/**
 * Hands one message to the real broker and returns when the broker has it. <b>A receipt counts as published</b>, and
 * the message is deleted. Clients whose {@code send} returns before the broker has answered, with a future, have to be
 * waited for:
 *
 * <pre>{@code
 * .publisher(delivery -> {
 *     RecordMetadata answer = producer.send(new ProducerRecord<>("orders", delivery.key(), delivery.payload()))
 *             .get(30, TimeUnit.SECONDS); // without it, messages are lost while the broker is away
 *     return Receipt.of(answer.partition() + ":" + answer.offset());
 * })
 * }</pre>
 *
 * or be an {@link AsyncBrokerPublisher}, which returns the future. Called by the relay's workers and their helpers, so
 * it must be safe for use by as many threads as {@code workers} and {@code publishers} of the relay say. It should have
 * a time limit of its own: while it waits, the batch stays open, and the partitions in it wait.
 *
 * @param <T> type of the messages
 */
@FunctionalInterface
public interface BrokerPublisher<T> {
    /**
     * Publishes a message. It may come again with the same {@link Delivery#id} after a crash; consumers recognise it by
     * that.
     *
     * @return that the broker has the message: {@link Receipt#of}, or {@link Receipt#taken} if it names no id. Null is
     *     a failure
     * @throws PermanentFailureException if this message will never succeed: it becomes a dead letter now
     * @throws BrokerUnavailableException if the broker is away: no attempt is counted, and the topic pauses
     * @throws Exception anything else: the message then failed, and its topic's {@link RetryPolicy} says what happens
     *     next
     */
    Receipt publish(Delivery<T> delivery) throws Exception;

    /**
     * Asked once for every topic that is built with this publisher, by {@link Topic.Builder#build}. A publisher refuses
     * a topic here that it could not keep its promises for. Does nothing by default. A publisher that wraps another
     * one passes this on.
     *
     * @throws ConfigurationException if the publisher is not fit for the topic, with what to change
     */
    default void check(TopicSettings topic) {}
}
