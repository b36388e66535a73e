package dev.outbox;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class BacklogTest {
    /** OBX-OPS-1: exact below 10,000. */
    @Test
    void itSaysWhetherItsCountIsExact() {
        assertTrue(new Operations.Backlog("t", 0, 9_999, Duration.ZERO).isExact());
        assertFalse(new Operations.Backlog("t", 0, 10_000, Duration.ZERO).isExact());
    }
}
