package dev.outbox;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** Publishers with the interceptors of a relay around them. Immutable. */
final class Interceptors {
    static final Interceptors NONE = new Interceptors(List.of());

    private final List<PublishInterceptor> outermostFirst;

    Interceptors(List<PublishInterceptor> outermostFirst) {
        this.outermostFirst = List.copyOf(outermostFirst);
    }

    /** By the synchronous publisher of a topic; waits for the answer. */
    <T> Receipt publish(Topic<T> topic, Delivery<T> delivery) throws Exception {
        if (outermostFirst.isEmpty()) {
            return topic.publish(delivery);
        }
        return Receipt.require(call(0, topic, delivery).toCompletableFuture().get(), topic.name());
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
        return topic.isAsynchronous()
                ? topic.start(delivery)
                : CompletableFuture.completedFuture(topic.publish(delivery));
    }
}
