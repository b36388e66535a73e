package dev.outbox.spring.boot.internal;

import dev.outbox.relay.RelayState;
import dev.outbox.spring.OutboxRelay;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Whether messages get from the store to the brokers, by what the relay knows. It asks neither the store nor a broker,
 * so it is cheap and answers during an outage.
 */
public final class OutboxHealth {
    /** How long rounds may fail before that is an outage. */
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    /**
     * What was found.
     *
     * @param isUp whether messages are published
     * @param details for those who may see them, by name
     */
    public record Finding(boolean isUp, Map<String, Object> details) {}

    private final Supplier<@Nullable RelayState> relay;
    private final Clock clock;

    OutboxHealth(OutboxRelay relay) {
        this(relay::state, Clock.systemUTC());
    }

    OutboxHealth(Supplier<@Nullable RelayState> relay, Clock clock) {
        this.relay = relay;
        this.clock = clock;
    }

    /** Looks now. */
    public Finding look() {
        RelayState state = relay.get();
        if (state == null || !state.running()) {
            return new Finding(false, Map.of("relay", "not running"));
        }
        Map<String, Object> details = new LinkedHashMap<>();
        if (state.servingSince() == null) {
            details.put("relay", "no topics");
        }
        details.put("workers", state.workersAlive() + " of " + state.workers());
        put(details, "lastGoodRound", state.lastGoodRound());
        put(details, "closesFailSince", state.closesFailSince());
        if (state.lastTrouble() != null) {
            details.put(
                    "lastTrouble",
                    state.lastTrouble().at() + " " + state.lastTrouble().text());
        }
        put(details, "topicsLeftOut", state.leftOut());
        put(details, "partitionsSetAside", state.setAside());
        put(details, "misplaced", state.misplaced());
        return new Finding(isUp(state), details);
    }

    private static void put(Map<String, Object> details, String name, @Nullable Object value) {
        if (value instanceof List<?> list) {
            if (!list.isEmpty()) {
                details.put(name, list.stream().map(Object::toString).toList());
            }
        } else if (value != null) {
            details.put(name, value.toString());
        }
    }

    private boolean isUp(RelayState state) {
        return state.workersAlive() > 0
                && state.leftOut().isEmpty()
                && (state.servingSince() == null || roundsAreGood(state, state.servingSince()))
                && (state.closesFailSince() == null || isWithin(state.closesFailSince(), PATIENCE));
    }

    /** The first failure may come when a pause is over, so it may be as long after the last good round. */
    private boolean roundsAreGood(RelayState state, Instant since) {
        Instant good = state.lastGoodRound() == null ? since : state.lastGoodRound();
        boolean fails = state.lastTrouble() != null && state.lastTrouble().at().isAfter(good);
        return isWithin(good, fails ? PATIENCE.plus(state.longestPause()) : state.longestQuiet());
    }

    private boolean isWithin(Instant since, Duration time) {
        return !since.plus(time).isBefore(clock.instant());
    }
}
