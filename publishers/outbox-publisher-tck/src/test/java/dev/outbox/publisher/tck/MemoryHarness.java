package dev.outbox.publisher.tck;

import dev.outbox.AsyncBrokerPublisher;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.function.BiFunction;
import java.util.stream.Collectors;

/** A publisher to the broker in memory, for the TCK. */
class MemoryHarness implements PublisherHarness {
    private final MemoryBroker broker = new MemoryBroker();
    private final BiFunction<MemoryBroker, String, AsyncBrokerPublisher<String>> publisher;
    private final int inFlight;
    private final Duration publishTimeout;
    private final Set<BrokerFault> faults;

    MemoryHarness(
            BiFunction<MemoryBroker, String, AsyncBrokerPublisher<String>> publisher,
            int inFlight,
            Duration publishTimeout,
            Set<BrokerFault> faults) {
        this.publisher = publisher;
        this.publishTimeout = publishTimeout;
        this.inFlight = inFlight;
        this.faults = faults;
    }

    @Override
    public String createDestination() {
        String destination = UUID.randomUUID().toString();
        broker.create(destination);
        return destination;
    }

    @Override
    public AsyncBrokerPublisher<String> open(String destination) {
        return publisher.apply(broker, destination);
    }

    @Override
    public List<ReceivedMessage> received(String destination) {
        return broker.received(destination);
    }

    @Override
    public AutoCloseable cause(BrokerFault fault, String destination) {
        broker.begin(fault, destination);
        return () -> broker.end(fault, destination);
    }

    @Override
    public Map<BrokerFault, String> without() {
        return Arrays.stream(BrokerFault.values())
                .filter(fault -> !faults.contains(fault))
                .collect(Collectors.toMap(fault -> fault, fault -> "not needed"));
    }

    @Override
    public int refusedSize() {
        return MemoryBroker.MOST_BYTES + 1;
    }

    @Override
    public Duration publishTimeout() {
        return publishTimeout;
    }

    @Override
    public int inFlight() {
        return inFlight;
    }

    @Override
    public Set<String> secrets() {
        return Set.of(MemoryPublisher.SECRET);
    }

    @Override
    public boolean brokerSpeaksFirst() {
        return true;
    }

    @Override
    public void removeDestination(String destination) {
        broker.remove(destination);
    }

    @Override
    public void close() {}
}
