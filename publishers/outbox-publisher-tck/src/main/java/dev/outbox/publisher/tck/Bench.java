package dev.outbox.publisher.tck;

import dev.outbox.AsyncBrokerPublisher;
import dev.outbox.BrokerUnavailableException;
import dev.outbox.Delivery;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** A destination of one test, with the publishers that the test opens to it. */
final class Bench {
    static final String TOPIC = "tck.orders";

    /** After this many times the failure of an action counts. */
    private static final int MOST_TRIES = 3;

    private final PublisherHarness harness;
    private final String destination;
    private final List<AsyncBrokerPublisher<String>> opened = new ArrayList<>();
    private int made;

    Bench(PublisherHarness harness) throws Exception {
        this.harness = harness;
        this.destination = harness.createDestination();
    }

    PublisherHarness harness() {
        return harness;
    }

    Duration publishTimeout() {
        return harness.publishTimeout();
    }

    AsyncBrokerPublisher<String> open() throws Exception {
        @Nullable AsyncBrokerPublisher<String> publisher = harness.open(destination);
        if (publisher == null) {
            throw new HarnessException("PublisherHarness.open returned null; expected a publisher.");
        }
        opened.add(publisher);
        return publisher;
    }

    /** Does something while the broker is away. */
    void during(BrokerFault fault, Action action) throws Exception {
        AutoCloseable away = cause(fault);
        try {
            action.run();
        } finally {
            away.close();
        }
    }

    private AutoCloseable cause(BrokerFault fault) throws InterruptedException {
        @Nullable AutoCloseable away;
        try {
            away = harness.cause(fault, destination);
        } catch (InterruptedException e) {
            throw e;
        } catch (Exception e) {
            throw new HarnessException(
                    "The harness could not cause " + fault + ": " + e
                            + ". If it never can, name the fault in PublisherHarness.without.",
                    e);
        }
        if (away == null) {
            throw new HarnessException(
                    "PublisherHarness.cause returned null for " + fault + "; expected what ends the fault.");
        }
        return away;
    }

    /**
     * Does something that expects a receipt. If the publisher says that the broker is away, this does it again, because
     * a busy machine may need longer than the publisher waits.
     */
    static void unlessBusy(Action action) throws Exception {
        for (int left = MOST_TRIES - 1; ; left--) {
            try {
                action.run();
                return;
            } catch (AssertionError e) {
                if (left == 0 || !(e.getCause() instanceof BrokerUnavailableException)) {
                    throw e;
                }
            }
        }
    }

    /** Something that a test does. */
    @FunctionalInterface
    interface Action {
        void run() throws Exception;
    }

    /** Those of some faults that the harness can cause. */
    List<BrokerFault> faults(BrokerFault... wanted) {
        return List.of(wanted).stream()
                .filter(fault -> !harness.without().containsKey(fault))
                .toList();
    }

    /** A message of a partition, with the partition's key and a text that tells it from others. */
    Delivery<String> message(int partition) {
        String text = "message " + ++made + " of partition " + partition;
        return message(partition, "key-" + partition, Map.of(), text.getBytes(StandardCharsets.UTF_8));
    }

    Delivery<String> message(int partition, @Nullable String key, Map<String, String> headers, byte[] payload) {
        String text = payload.length < 100 ? new String(payload, StandardCharsets.UTF_8) : payload.length + " bytes";
        return new Delivery<>(
                text,
                UUID.randomUUID().toString(),
                TOPIC,
                partition,
                key,
                headers,
                payload,
                1,
                Instant.now().truncatedTo(ChronoUnit.MICROS));
    }

    /** Publishes messages of one partition until the publisher takes one; that is an answer with a receipt. */
    Answer publishUntilTaken(AsyncBrokerPublisher<String> publisher, Delivery<String> delivery) throws Exception {
        long deadline = System.nanoTime() + Patience.get().toNanos();
        while (true) {
            Answer answer = Answer.to(delivery, publisher);
            Throwable failure = answer.failureOrNull();
            if (failure == null) {
                return answer;
            }
            if (System.nanoTime() - deadline > 0) {
                throw new AssertionError(
                        "No receipt within " + Patience.get().toSeconds() + " seconds; the last failure: " + failure,
                        failure);
            }
            Thread.sleep(100);
        }
    }

    List<ReceivedMessage> received() throws Exception {
        return harness.received(destination);
    }

    List<String> receivedIds() throws Exception {
        return received().stream().map(ReceivedMessage::id).toList();
    }

    static boolean isCloseable(AsyncBrokerPublisher<String> publisher) {
        return publisher instanceof AutoCloseable;
    }

    /** Closes a publisher, if it can be closed. */
    static void close(AsyncBrokerPublisher<String> publisher) throws Exception {
        if (publisher instanceof AutoCloseable closeable) {
            closeable.close();
        }
    }

    void drop() throws Exception {
        for (AsyncBrokerPublisher<String> publisher : opened) {
            close(publisher);
        }
        harness.removeDestination(destination);
    }
}
