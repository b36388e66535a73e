package dev.outbox.publisher.tck;

import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A broker in this process that can be hurt, so that broken publishers can be tried quickly. */
final class MemoryBroker {
    static final int MOST_BYTES = 200_000;

    /** What the broker says to a message. */
    enum Answer {
        TAKEN,
        TOO_LARGE,
        AWAY,
        /** Nothing, for as long as the broker stands still. */
        NONE
    }

    /** A message as the broker has it. */
    record Kept(ReceivedMessage message, boolean durable) {}

    // Guarded by this.
    private final Map<String, List<Kept>> destinations = new HashMap<>();
    private final Set<BrokerFault> faults = EnumSet.noneOf(BrokerFault.class);

    synchronized void create(String destination) {
        destinations.put(destination, new ArrayList<>());
    }

    synchronized void remove(String destination) {
        destinations.remove(destination);
    }

    synchronized List<ReceivedMessage> received(String destination) {
        return destinations.getOrDefault(destination, List.of()).stream()
                .map(Kept::message)
                .toList();
    }

    /** Takes a message if it can. */
    synchronized Answer take(String destination, ReceivedMessage message, boolean durable) {
        List<Kept> kept = destinations.get(destination);
        if (faults.contains(BrokerFault.PAUSED)) {
            return Answer.NONE;
        }
        if (!faults.isEmpty() || kept == null) {
            return Answer.AWAY;
        }
        if (message.payload().length > MOST_BYTES) {
            return Answer.TOO_LARGE;
        }
        kept.add(new Kept(message, durable));
        return Answer.TAKEN;
    }

    synchronized void begin(BrokerFault fault, String destination) {
        faults.add(fault);
        if (fault == BrokerFault.KILLED) {
            destinations.values().forEach(kept -> kept.removeIf(message -> !message.durable()));
        }
        if (fault == BrokerFault.MISSING) {
            destinations.remove(destination);
        }
    }

    synchronized void end(BrokerFault fault, String destination) {
        faults.remove(fault);
        if (fault == BrokerFault.MISSING) {
            create(destination);
        }
    }
}
