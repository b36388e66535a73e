package dev.outbox;

import java.util.concurrent.CompletionStage;

/**
 * Hands one message to the real broker and says later whether the broker has it. Many messages are in flight at a time:
 * one of every partition, or as many as {@link Topic.Builder#inFlight} says. Called by the relay's workers and their
 * helpers, for one partition by one thread at a time; the stage may be completed on any thread.
 *
 * @param <T> type of the messages
 */
@FunctionalInterface
public interface AsyncBrokerPublisher<T> {
    /**
     * Starts publishing a message. It may come again with the same {@link Delivery#id} after a crash; consumers
     * recognise it by that.
     *
     * @return completed with {@link Receipt#of}, or {@link Receipt#taken} if the broker names no id, once the broker
     *     has the message; completed exceptionally, or not within {@link Topic.Builder#publishTimeout}, if the message
     *     failed. What it is completed with may also be thrown, and means the same as from a {@link BrokerPublisher}.
     *     Null, here or as what it is completed with, is a failure
     * @throws Exception anything: the message then failed
     */
    CompletionStage<Receipt> publish(Delivery<T> delivery) throws Exception;

    /**
     * Asked once for every topic that is built with this publisher, by {@link Topic.Builder#build}. A publisher refuses
     * a topic here that it could not keep its promises for. For example, the {@link TopicSettings#publishTimeout} may
     * be shorter than the time limits of its client. Does nothing by default. A publisher that wraps another one passes
     * this on.
     *
     * @throws ConfigurationException if the publisher is not fit for the topic, with what to change
     */
    default void check(TopicSettings topic) {}
}
