package dev.outbox.micrometer;

import dev.outbox.relay.Relay;
import dev.outbox.relay.RelayState;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.ToDoubleFunction;

/** The relays of this process, seen together. Their state is in memory, so asking for it costs no store anything. */
final class RelayWatch {
    private record Watched(Relay relay, Instant since) {}

    private final List<Watched> relays = new CopyOnWriteArrayList<>();

    void add(Relay relay) {
        relays.add(new Watched(relay, Instant.now()));
    }

    boolean isEmpty() {
        return relays.isEmpty();
    }

    /** Of the relay with the longest time. A relay without a good round counts from when it came here. */
    double secondsSinceGoodRound() {
        Instant now = Instant.now();
        double longest = 0;
        for (Watched each : relays) {
            Instant good = each.relay().state().lastGoodRound();
            Duration since = Duration.between(good == null ? each.since() : good, now);
            longest = Math.max(longest, since.toNanos() / 1e9);
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
        return relays.stream()
                .mapToDouble(each -> number.applyAsDouble(each.relay().state()))
                .sum();
    }
}
