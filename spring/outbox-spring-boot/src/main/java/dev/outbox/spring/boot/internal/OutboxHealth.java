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

    /** How long a round may take without a failure, in addition to the time that publishers have. */
    private static final Duration QUIET = Duration.ofSeconds(30);

    /**
     * What was found.
     *
     * @param isUp whether messages are published
     * @param details for those who may see them, by name
     */
    public record Finding(boolean isUp, Map<String, Object> details) {}

    private final Supplier<@Nullable RelayState> relay;
    private final Duration longestPublish;
    private final Clock clock;
    private final Instant made;

    /** Looks at a relay whose publishers may take this long. */
    OutboxHealth(OutboxRelay relay, Duration longestPublish) {
        this(relay::state, longestPublish, Clock.systemUTC());
    }

    OutboxHealth(Supplier<@Nullable RelayState> relay, Duration longestPublish, Clock clock) {
        this.relay = relay;
        this.longestPublish = longestPublish;
        this.clock = clock;
        this.made = clock.instant();
    }

    /** Looks now. */
    public Finding look() {
        RelayState state = relay.get();
        if (state == null || !state.running()) {
            return new Finding(false, Map.of("relay", "not running"));
        }
        Map<String, Object> details = new LinkedHashMap<>();
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
        Instant now = clock.instant();
        Instant good = state.lastGoodRound() == null ? made : state.lastGoodRound();
        boolean fails = state.lastTrouble() != null && state.lastTrouble().at().isAfter(good);
        Duration allowed = fails ? PATIENCE : QUIET.plus(longestPublish);
        return state.workersAlive() > 0
                && state.leftOut().isEmpty()
                && !good.plus(allowed).isBefore(now)
                && (state.closesFailSince() == null
                        || !state.closesFailSince().plus(PATIENCE).isBefore(now));
    }
}
