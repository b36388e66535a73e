package dev.outbox;

import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

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
     * Starts publishing a message. It may come again with the same {@link Delivery#id} after a crash; consumers recognise
     * it by that.
     *
     * @return completed with what the broker called the message, or null if it said nothing; completed exceptionally,
     *     or not within {@link Topic.Builder#publishTimeout}, if the message failed
     * @throws Exception anything: the message then failed
     */
    CompletionStage<? extends @Nullable String> publish(Delivery<T> delivery) throws Exception;
}
