package dev.outbox.store.support;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class SetAsideTest {
    @Test
    void aPartitionIsNotTriedUntilItsTimeIsOver() {
        SetAside<String> aside = new SetAside<>(Duration.ofHours(1));
        aside.add("one");
        assertTrue(aside.contains("one"));
        assertFalse(aside.contains("another"));
        SetAside<String> brief = new SetAside<>(Duration.ofMillis(1));
        brief.add("one");
        while (brief.contains("one")) {
            Thread.onSpinWait();
        }
        brief.add("another");
        assertFalse(brief.contains("one"));
    }
}
