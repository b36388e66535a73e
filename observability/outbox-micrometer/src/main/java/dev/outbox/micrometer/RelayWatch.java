package dev.outbox.micrometer;

import dev.outbox.relay.Relay;
import dev.outbox.relay.RelayState;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.ToDoubleFunction;

/**
 * The relays of this process, seen together. Their state is in memory, so asking for it costs no store anything. A
 * closed relay is forgotten. A relay that is not closed counts, whatever became of its workers. Safe for use by several
 * threads.
 */
final class RelayWatch {
    private record Watched(Relay relay, Instant since) {}

    private final List<Watched> relays = new CopyOnWriteArrayList<>();
    private volatile boolean used;

    void add(Relay relay) {
        relays.add(new Watched(relay, Instant.now()));
        used = true;
    }

    /** Whether there ever was a relay. */
    boolean isUsed() {
        return used;
    }

    /**
     * Of the relay with the longest time. A relay without a good round counts from when it came here. NaN if all are
     * closed, because 0 would look like a relay that is well.
     */
    double secondsSinceGoodRound() {
        Instant now = Instant.now();
        double longest = Double.NaN;
        for (Watched each : open()) {
            Instant good = each.relay().state().lastGoodRound();
            Duration since = Duration.between(good == null ? each.since() : good, now);
            double seconds = Math.max(0, since.toNanos() / 1e9);
            longest = Double.isNaN(longest) ? seconds : Math.max(longest, seconds);
        }
        return longest;
    }

    double leftOut() {
        return sum(state -> state.leftOut().size());
    }

    double setAside() {
        return sum(state -> state.setAside().size());
    }

    double unsettled() {
        return sum(RelayState::unsettled);
    }

    private double sum(ToDoubleFunction<RelayState> number) {
        return open().stream()
                .mapToDouble(each -> number.applyAsDouble(each.relay().state()))
                .sum();
    }

    private List<Watched> open() {
        relays.removeIf(each -> each.relay().isClosed());
        return relays;
    }
}
