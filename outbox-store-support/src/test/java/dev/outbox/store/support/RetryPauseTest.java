package dev.outbox.store.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class RetryPauseTest {
    private final RetryPause pause = new RetryPause();

    private List<Long> next(int pauses) {
        return Stream.generate(() -> pause.next().toMillis()).limit(pauses).toList();
    }

    @Test
    void pausesGrowToHalfASecondAndBeginAgainAfterASuccess() {
        assertTrue(pause.isFirst());
        assertEquals(List.of(100L, 200L, 400L, 500L, 500L, 500L), next(6));
        assertFalse(pause.isFirst());
        pause.reset();
        assertTrue(pause.isFirst());
        assertEquals(List.of(100L, 200L), next(2));
    }
}
