package dev.outbox.publisher.tck;

import dev.outbox.AsyncBrokerPublisher;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Tells {@link PublisherTck} how to publish to a broker, how to read what the broker has, and how to hurt it. The suite
 * calls it from one thread at a time, and closes it after the last test.
 */
@SuppressWarnings("try") // close may throw whatever stopping a broker throws, InterruptedException included
public interface PublisherHarness extends AutoCloseable {
    /** Makes an empty destination, such as a topic or a queue with its exchange, and returns its name. */
    String createDestination() throws Exception;

    /**
     * Opens a publisher to a destination. It passes on the payload of a delivery, and its client has time limits below
     * {@link #publishTimeout}. Its connections go where {@link BrokerFault#CUT_OFF} can cut them. The suite closes the
     * publisher if it is {@link AutoCloseable}. A synchronous publisher is wrapped in one that answers with a completed
     * stage.
     */
    AsyncBrokerPublisher<String> open(String destination) throws Exception;

    /**
     * All messages that the broker has taken for a destination since it was made or came back, those of one order unit
     * in their order. Messages that an earlier call returned are in the list again. Returns when the broker has no
     * more, and is called only while the broker is well.
     */
    List<ReceivedMessage> received(String destination) throws Exception;

    /**
     * Causes a fault and returns when it has begun. No connection of this harness itself needs to survive it.
     *
     * @return closed to end the fault; returns when the broker takes messages of the destination again
     */
    AutoCloseable cause(BrokerFault fault, String destination) throws Exception;

    /** Faults that cannot be caused, each with the reason, which the report shows. None by default. */
    default Map<BrokerFault, String> without() {
        return Map.of();
    }

    /** A number of bytes that the broker takes for no payload, at most 16 MiB. */
    int refusedSize();

    /** The time limit of the topics that the suite builds; by default 15 seconds. */
    default Duration publishTimeout() {
        return Duration.ofSeconds(15);
    }

    /**
     * With how many messages of a partition in flight the publisher promises their order if one of them fails; by
     * default 1.
     */
    default int inFlight() {
        return 1;
    }

    /**
     * Passwords and other secrets that {@link #open} gives to the publisher. The suite looks for them in every failure.
     * Empty by default: then the rule about secrets is not run.
     */
    default Set<String> secrets() {
        return Set.of();
    }

    /**
     * Whether no message can be sent on a new connection before the broker has said something, and {@link #open} does
     * not fail while the broker stands still. Then the messages of a publisher that is opened meanwhile cannot have
     * been sent before they failed, and the suite looks for them later. False by default: then the broker may have such
     * messages in its buffers.
     */
    default boolean brokerSpeaksFirst() {
        return false;
    }

    /** Removes a destination. */
    void removeDestination(String destination) throws Exception;

    /** Stops the broker, or does nothing if others use it. */
    @Override
    void close() throws Exception;
}
