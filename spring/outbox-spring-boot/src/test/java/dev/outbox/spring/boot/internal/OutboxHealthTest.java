package dev.outbox.spring.boot.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.relay.RelayState;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class OutboxHealthTest {
    private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

    private @Nullable RelayState state;
    private @Nullable Instant serving = START;
    private Duration pause = Duration.ZERO;

    @Test
    void aRelayThatDoesNotRunIsDown() {
        assertEquals(new OutboxHealth.Finding(false, Map.of("relay", "not running")), look(0));
    }

    @Test
    void aRelayWithoutAnythingToDoIsUp() {
        state = state(1, START.plusSeconds(1000), null, null, List.of());
        assertTrue(look(1001).isUp());
        assertEquals("1 of 1", look(1001).details().get("workers"));
    }

    @Test
    void aRelayWhoseRoundsFailIsDownAfterTenSeconds() {
        state = state(1, START.plusSeconds(1000), START.plusSeconds(1008), null, List.of());
        assertTrue(look(1010).isUp());
        assertFalse(look(1011).isUp());
        assertTrue(look(1011).details().toString().contains("the database is away"));
    }

    @Test
    void aRelayThatFailsFromTheStartIsDownAfterTenSeconds() {
        state = state(1, null, START.plusSeconds(1), null, List.of());
        assertTrue(look(10).isUp());
        assertFalse(look(11).isUp());
    }

    @Test
    void aRelayThatWasStartedAgainHasItsTimeAgain() {
        serving = START.plusSeconds(1000);
        state = state(1, null, null, null, List.of());
        assertTrue(look(1120).isUp());
        assertFalse(look(1121).isUp());
        state = state(1, null, START.plusSeconds(1001), null, List.of());
        assertTrue(look(1010).isUp());
        assertFalse(look(1011).isUp());
    }

    @Test
    void aRelayWithoutTopicsIsUp() {
        serving = null;
        state = state(1, null, null, null, List.of());
        assertTrue(look(1000).isUp());
        assertEquals("no topics", look(1000).details().get("relay"));
    }

    @Test
    void aFirstCheckoutThatHangsIsAnOutage() {
        state = state(1, null, null, null, List.of());
        assertTrue(look(120).isUp());
        assertFalse(look(121).isUp());
    }

    @Test
    void aLongPauseIsNoOutage() {
        pause = Duration.ofHours(1);
        state = state(1, START, null, null, List.of());
        assertTrue(look(3720).isUp());
        assertFalse(look(3721).isUp());
        state = state(1, START, START.plusSeconds(3600), null, List.of());
        assertTrue(look(3610).isUp());
        assertFalse(look(3611).isUp());
    }

    @Test
    void troubleThatIsOverIsShownAndUp() {
        state = state(1, START.plusSeconds(1000), START.plusSeconds(900), null, List.of());
        assertTrue(look(1001).isUp());
        assertTrue(look(1001).details().containsKey("lastTrouble"));
    }

    @Test
    void aRoundMayTakeAsLongAsTheSettingsSay() {
        state = state(1, START, null, null, List.of());
        assertTrue(look(120).isUp());
        assertFalse(look(121).isUp());
    }

    @Test
    void aRelayWithoutWorkersIsDown() {
        state = state(0, START, null, null, List.of());
        assertFalse(look(0).isUp());
    }

    @Test
    void batchesThatCannotBeClosedAreAnOutage() {
        state = state(1, START, null, START, List.of());
        assertTrue(look(10).isUp());
        assertFalse(look(11).isUp());
    }

    @Test
    void aBrokerThatIsAwayIsAnOutage() {
        state = state(1, START, null, null, List.of(new RelayState.LeftOut("orders", START.plusSeconds(5), "refused")));
        assertFalse(look(0).isUp());
        assertTrue(look(0).details().toString().contains("orders"));
    }

    private OutboxHealth.Finding look(int second) {
        Clock[] clock = {Clock.fixed(START, ZoneOffset.UTC)};
        OutboxHealth health = new OutboxHealth(() -> state, new Clock() {
            @Override
            public Instant instant() {
                return clock[0].instant();
            }

            @Override
            public ZoneOffset getZone() {
                return ZoneOffset.UTC;
            }

            @Override
            public Clock withZone(java.time.ZoneId zone) {
                return this;
            }
        });
        clock[0] = Clock.fixed(START.plusSeconds(second), ZoneOffset.UTC);
        return health.look();
    }

    private RelayState state(
            int alive,
            @Nullable Instant good,
            @Nullable Instant trouble,
            @Nullable Instant closesFail,
            List<RelayState.LeftOut> leftOut) {
        return new RelayState(
                true,
                serving,
                1,
                alive,
                good,
                trouble == null
                        ? null
                        : new RelayState.Trouble(trouble, "the database is away", new IllegalStateException("away")),
                closesFail,
                0,
                List.of(),
                leftOut,
                List.of(),
                List.of(),
                pause,
                pause.plusSeconds(120));
    }
}
