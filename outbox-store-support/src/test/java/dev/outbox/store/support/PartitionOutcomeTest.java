package dev.outbox.store.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.PersistedMessage;
import dev.outbox.spi.BatchOutcomes;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class PartitionOutcomeTest {
    private final List<PersistedMessage> messages = IntStream.range(0, 6)
            .mapToObj(
                    i -> new PersistedMessage("id" + i, "topic", i / 3, null, Map.of(), new byte[0], 0, Instant.EPOCH))
            .toList();
    private final BatchOutcomes outcomes = new BatchOutcomes(messages);

    @Test
    void theFirstFailureAndTheLongestDelayCount() {
        outcomes.published(messages.get(0), null);
        outcomes.failed(messages.get(1), "first", Duration.ofMillis(5));
        outcomes.failed(messages.get(2), "second", Duration.ofNanos(7_000_001));
        PartitionOutcome one = PartitionOutcome.of(outcomes, 0, 3);
        assertTrue(one.isFailing());
        assertEquals(1, one.firstFailed());
        assertEquals("first", one.reason());
        assertEquals(8, one.delayMillis(), "rounded up");
        assertEquals(1, one.settledPrefix());
        PartitionOutcome other = PartitionOutcome.of(outcomes, 3, 3);
        assertFalse(other.isFailing());
        assertEquals(0, other.settledPrefix());
        assertEquals(Duration.ZERO, other.delay());
    }

    @Test
    void whatIsSettledWithoutAGapIsThePrefix() {
        outcomes.published(messages.get(0), null);
        outcomes.deadLettered(messages.get(1), "poison");
        outcomes.published(messages.get(3), null);
        outcomes.published(messages.get(5), null);
        assertEquals(2, PartitionOutcome.of(outcomes, 0, 3).settledPrefix());
        assertEquals(1, PartitionOutcome.of(outcomes, 3, 3).settledPrefix());
        assertEquals(0, PartitionOutcome.of(outcomes, 0, 0).settledPrefix());
    }
}
