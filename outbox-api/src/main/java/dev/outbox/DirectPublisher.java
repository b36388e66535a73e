package dev.outbox;

import dev.outbox.internal.Answers;
import dev.outbox.internal.Causes;
import java.time.Instant;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** Hands messages to the broker now and waits for its answer. Safe for use by several threads. */
final class DirectPublisher<T> implements Publisher<T> {
    private final Topic<T> topic;

    DirectPublisher(Topic<T> topic) {
        this.topic = topic;
    }

    @Override
    public String publish(T message) {
        OutgoingMessage out = topic.outgoing(message);
        String id = UUID.randomUUID().toString();
        Delivery<T> delivery = new Delivery<>(
                message, id, topic.name(), out.partition(), out.key(), out.headers(), out.payload(), 1, Instant.now());
        try {
            String publishId = answer(delivery).id();
            return publishId == null ? id : publishId;
        } catch (Exception e) {
            if (e instanceof InterruptedException) {
                Thread.currentThread().interrupt();
            }
            Throwable cause = Causes.unwrapped(e);
            throw new PublishException("Publishing to topic " + topic.name() + " failed: " + cause, cause);
        }
    }

    private Receipt answer(Delivery<T> delivery) throws Exception {
        BrokerPublisher<T> publisher = topic.publisher();
        if (publisher != null) {
            return required(publisher.publish(delivery));
        }
        AsyncBrokerPublisher<T> asynchronous = Objects.requireNonNull(topic.asyncPublisher());
        return required(required(asynchronous.publish(delivery))
                .toCompletableFuture()
                .get(topic.publishTimeout().toNanos(), TimeUnit.NANOSECONDS));
    }

    private <A> A required(@Nullable A answer) {
        return Answers.required(answer, topic.name(), MisuseException::new);
    }

    @Override
    public String toString() {
        return topic + ".direct()";
    }
}
