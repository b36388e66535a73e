package dev.outbox.spi;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.MisuseException;
import dev.outbox.PersistedMessage;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class BatchOutcomesTest {
    private final PersistedMessage a = message("a");
    private final PersistedMessage b = message("b");
    private final PersistedMessage c = message("c");
    private final BatchOutcomes outcomes = new BatchOutcomes(List.of(a, b, c));

    @Test
    void remembersOutcomesInTheOrderOfTheMessages() {
        outcomes.deadLettered(c, "poison");
        outcomes.published(a, "p1");
        assertNull(outcomes.at(1));
        outcomes.failed(b, "away", Duration.ZERO);
        assertEquals(
                List.of(
                        new Outcome.Published(a, "p1"),
                        new Outcome.Failed(b, "away", Duration.ZERO),
                        new Outcome.DeadLettered(c, "poison")),
                outcomes.applicable());
    }

    @Test
    void refusesASecondOutcome() {
        outcomes.published(a, null);
        outcomes.published(b, null);
        String text = assertThrows(MisuseException.class, () -> outcomes.failed(a, "x", Duration.ZERO))
                .getMessage();
        assertTrue(text.contains("Message a is marked already, as Published"), text);
        assertEquals(2, outcomes.applicable().size());
    }

    @Test
    void refusesAMessageOfAnotherBatchEvenIfItIsEqual() {
        PersistedMessage copy = new PersistedMessage(
                a.id(), a.topic(), a.partition(), a.key(), a.headers(), a.payload(), a.attempts(), a.createdAt());
        assertThrows(MisuseException.class, () -> outcomes.published(copy, null));
        assertEquals(List.of(), outcomes.applicable());
    }

    @Test
    void refusesMarksAfterClose() {
        assertTrue(outcomes.isOpen());
        assertTrue(outcomes.close());
        assertFalse(outcomes.close());
        assertFalse(outcomes.isOpen());
        assertThrows(MisuseException.class, () -> outcomes.published(a, null));
    }

    @Test
    void refusesANegativeDelay() {
        assertThrows(MisuseException.class, () -> outcomes.failed(a, "x", Duration.ofMillis(-1)));
    }

    @Test
    void keepsACopyOfTheMessages() {
        List<PersistedMessage> changing = new ArrayList<>(List.of(a));
        BatchOutcomes copied = new BatchOutcomes(changing);
        changing.clear();
        assertEquals(List.of(a), copied.messages());
        assertThrows(
                UnsupportedOperationException.class, () -> copied.messages().clear());
    }

    private static PersistedMessage message(String id) {
        return new PersistedMessage(id, "t", 0, null, Map.of(), new byte[0], 0, Instant.EPOCH);
    }

    @Test
    void reasonsAreMadeStorable() {
        assertEquals("a\uFFFDb\uFFFD\uD83D\uDE00", BatchOutcomes.storable("a\0b\uD800\uD83D\uDE00"));
        assertEquals(1000, BatchOutcomes.storable("x".repeat(100_000)).length());
        assertEquals("as it is", BatchOutcomes.storable("as it is"));
    }
}
