package dev.outbox.store.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class LeaseClockTest {
    @Test
    void theClockThatWentOnDecides() {
        LeaseClock start = new LeaseClock(5_000_000_000L, 1_000_000L);
        assertEquals(Duration.ofMillis(700), start.ageAt(new LeaseClock(5_700_000_000L, 1_000_300L)));
        assertEquals(
                Duration.ofMinutes(10), start.ageAt(new LeaseClock(5_000_000_000L, 1_600_000L)), "a suspended machine");
        assertEquals(
                Duration.ofSeconds(2), start.ageAt(new LeaseClock(7_000_000_000L, 0)), "a clock that was set back");
        assertEquals(
                Duration.ofSeconds(2),
                new LeaseClock(Long.MAX_VALUE, 0).ageAt(new LeaseClock(Long.MAX_VALUE + 2_000_000_000L, 0)),
                "a clock that overflows");
    }

    @Test
    void ageIsCountedFromNow() {
        assertTrue(LeaseClock.now().isWithin(Duration.ofHours(1)));
        LeaseClock now = LeaseClock.now();
        LeaseClock earlier = new LeaseClock(now.nanos() - 2_000_000_000L, now.millis());
        assertFalse(earlier.isWithin(Duration.ofSeconds(1)));
        assertTrue(now.isAfter(earlier) && !earlier.isAfter(now));
        assertFalse(new LeaseClock(now.nanos(), now.millis() - 2_000).isWithin(Duration.ofSeconds(1)));
    }
}
