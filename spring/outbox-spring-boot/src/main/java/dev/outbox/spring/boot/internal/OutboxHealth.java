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
     * How long no round may end though none fails, in addition to what the settings allow. While the brokers of all
     * topics are away, rounds are so far apart, and when one is back it takes a round to tell.
     */
    private static final Duration QUIET = Duration.ofMinutes(1);

    /**
     * What was found.
     *
     * @param isUp whether messages are published
     * @param details for those who may see them, by name
     */
    public record Finding(boolean isUp, Map<String, Object> details) {}

    /**
     * How long a relay may be quiet by its settings.
     *
     * @param topics how many topics it serves, as far as they are beans
     * @param longestRound how long a round may take
     * @param longestPause how long the pause between two rounds may be
     */
    record Allowance(int topics, Duration longestRound, Duration longestPause) {}

    private final Supplier<@Nullable RelayState> relay;
    private final Allowance allowance;
    private final Clock clock;

    OutboxHealth(OutboxRelay relay, Allowance allowance) {
        this(relay::state, allowance, Clock.systemUTC());
    }

    OutboxHealth(Supplier<@Nullable RelayState> relay, Allowance allowance, Clock clock) {
        this.relay = relay;
        this.allowance = allowance;
        this.clock = clock;
    }

    /** Looks now. */
    public Finding look() {
        RelayState state = relay.get();
        if (state == null || !state.running()) {
            return new Finding(false, Map.of("relay", "not running"));
        }
        Map<String, Object> details = new LinkedHashMap<>();
        if (hasNothingToDo(state)) {
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
                && (hasNothingToDo(state) || roundsAreGood(state))
                && (state.closesFailSince() == null || isWithin(state.closesFailSince(), PATIENCE));
    }

    /**
     * A relay without topics does no rounds. One that the application itself has made may have topics that are no
     * beans, so rounds tell more than their number.
     */
    private boolean hasNothingToDo(RelayState state) {
        return allowance.topics == 0 && state.lastGoodRound() == null && state.lastTrouble() == null;
    }

    /** The first failure may come when a pause is over, so it may be as long after the last good round. */
    private boolean roundsAreGood(RelayState state) {
        Instant good = state.lastGoodRound() == null ? state.startedAt() : state.lastGoodRound();
        if (good == null) {
            return false; // it does not run
        }
        boolean fails = state.lastTrouble() != null && state.lastTrouble().at().isAfter(good);
        Duration working = fails ? PATIENCE : QUIET.plus(allowance.longestRound);
        return isWithin(good, working.plus(allowance.longestPause));
    }

    private boolean isWithin(Instant since, Duration time) {
        return !since.plus(time).isBefore(clock.instant());
    }
}
