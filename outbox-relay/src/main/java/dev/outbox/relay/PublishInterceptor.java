package dev.outbox.relay;

import dev.outbox.AsyncBrokerPublisher;
import dev.outbox.Delivery;
import dev.outbox.OutboxListener;
import dev.outbox.Receipt;
import java.util.concurrent.CompletionStage;

/**
 * Runs around every call of a publisher by a relay: for traces, limits of rate, a {@link LogContext}. What stands
 * before {@link Call#proceed} happens before the publisher is called, what stands after it when the call has returned,
 * on the same thread; and what is attached to the stage when the broker has answered, on whatever thread that is.
 *
 * <pre>{@code
 * Relay.builder(store).topic(orders).around((delivery, call) -> {
 *     log.debug("Calling the publisher for {}", delivery.id());
 *     return call.proceed().whenComplete((receipt, failure) -> trace(delivery, receipt, failure));
 * });
 * }</pre>
 *
 * <p>For a synchronous publisher the stage is complete when {@code proceed} returns, and what the publisher throws
 * comes out of {@code proceed}, as does what an asynchronous one throws instead of returning a stage. A message is
 * decoded before: what its codec throws is not seen here; {@link OutboxListener} tells of every outcome. Safe for use
 * by as many threads as publishers are.
 */
@FunctionalInterface
public interface PublishInterceptor {
    /** The publisher, with the interceptors that are further inside. */
    @FunctionalInterface
    interface Call {
        /**
         * Publishes the message; called again, publishes it again.
         *
         * @return as {@link AsyncBrokerPublisher#publish}
         * @throws Exception anything that the publisher, or an interceptor further inside, throws
         */
        CompletionStage<Receipt> proceed() throws Exception;
    }

    /**
     * Publishes a message by {@link Call#proceed}, and does something around it.
     *
     * @return mostly what {@code proceed} returned, or a stage made from it; the message is published if, and only if,
     *     it is completed with a receipt. Null is a failure
     * @throws Exception anything: it means the same as from the publisher
     */
    CompletionStage<Receipt> around(Delivery<?> delivery, Call call) throws Exception;
}
