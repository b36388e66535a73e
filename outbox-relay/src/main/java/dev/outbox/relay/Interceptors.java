package dev.outbox.relay;

import dev.outbox.AsyncBrokerPublisher;
import dev.outbox.Delivery;
import dev.outbox.MisuseException;
import dev.outbox.Receipt;
import dev.outbox.Topic;
import dev.outbox.internal.Answers;
import dev.outbox.internal.Causes;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/** Publishers with the interceptors of a relay around them. Immutable. */
final class Interceptors {
    static final Interceptors NONE = new Interceptors(List.of());

    private final List<PublishInterceptor> outermostFirst;

    Interceptors(List<PublishInterceptor> outermostFirst) {
        this.outermostFirst = List.copyOf(outermostFirst);
    }

    /**
     * By the synchronous publisher of a topic; waits for the answer, if an interceptor makes it come later, for as long
     * as for that of an asynchronous publisher.
     */
    <T> Receipt publish(Topic<T> topic, Delivery<T> delivery) throws Exception {
        if (outermostFirst.isEmpty()) {
            return publishTo(topic, delivery);
        }
        CompletableFuture<Receipt> answer = new CompletableFuture<>();
        call(0, topic, delivery).whenComplete((receipt, failure) -> {
            if (failure != null) {
                answer.completeExceptionally(failure);
            } else {
                answer.complete(receipt);
            }
        });
        try {
            return required(answer.get(topic.publishTimeout().toNanos(), TimeUnit.NANOSECONDS), topic);
        } catch (TimeoutException e) {
            throw new TimeoutException("No answer from an interceptor of topic " + topic.name() + " within "
                    + topic.publishTimeout() + "; the message may have got through");
        } catch (ExecutionException e) {
            // An interceptor has made a stage of the interrupt of this thread.
            if (Causes.unwrapped(e) instanceof InterruptedException interrupt) {
                throw interrupt;
            }
            throw e;
        }
    }

    /** By the asynchronous publisher of a topic. */
    <T> CompletionStage<Receipt> start(Topic<T> topic, Delivery<T> delivery) throws Exception {
        return call(0, topic, delivery);
    }

    private <T> CompletionStage<Receipt> call(int next, Topic<T> topic, Delivery<T> delivery) throws Exception {
        if (next < outermostFirst.size()) {
            PublishInterceptor interceptor = outermostFirst.get(next);
            CompletionStage<Receipt> stage = interceptor.around(delivery, () -> call(next + 1, topic, delivery));
            if (stage == null) {
                throw new MisuseException("An interceptor of topic " + topic.name()
                        + " returned null; expected what Call.proceed() returned, or a stage made from it.");
            }
            return stage;
        }
        AsyncBrokerPublisher<T> asynchronous = topic.asyncPublisher();
        return asynchronous != null
                ? required(asynchronous.publish(delivery), topic)
                : CompletableFuture.completedFuture(publishTo(topic, delivery));
    }

    private static <T> Receipt publishTo(Topic<T> topic, Delivery<T> delivery) throws Exception {
        return required(Objects.requireNonNull(topic.publisher()).publish(delivery), topic);
    }

    private static <A> A required(@Nullable A answer, Topic<?> topic) {
        return Answers.required(answer, topic.name(), MisuseException::new);
    }
}
