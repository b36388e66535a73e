package dev.outbox.kafka;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;
import org.apache.kafka.clients.producer.Producer;
import org.jspecify.annotations.Nullable;

/** A producer that is in use until a message fails in it, or until the publisher is closed. */
final class LiveProducer {
    private final Producer<byte[], byte[]> producer;
    private final AtomicReference<@Nullable Exception> end = new AtomicReference<>();

    private final Set<Pending> started = ConcurrentHashMap.newKeySet();

    LiveProducer(Producer<byte[], byte[]> producer) {
        this.producer = producer;
    }

    Producer<byte[], byte[]> producer() {
        return producer;
    }

    /** A message is about to be sent. */
    void start(Pending message) {
        started.add(message);
    }

    /** A message that was started has its answer. */
    void answered(Pending message) {
        started.remove(message);
    }

    /** The messages without an answer, in any order. */
    Stream<Pending> open() {
        return started.stream().filter(message -> !message.isDone());
    }

    /** Why the producer was abandoned, or null if it was not. */
    @Nullable
    Exception end() {
        return end.get();
    }

    /**
     * Drops everything that the producer has not sent; false if that was done before. May be called by the thread of
     * the producer itself, within the callback of a message: nothing that is still in the buffer is sent after that.
     */
    boolean abandon(Exception reason) {
        if (!end.compareAndSet(null, reason)) {
            return false;
        }
        producer.close(Duration.ZERO);
        return true;
    }
}
