package dev.outbox.kafka;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;

import dev.outbox.Delivery;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;

class OrderGateTest {
    private final OrderGate gate = new OrderGate();

    @Test
    void laterMessagesWaitForTheOneThatFailed() {
        assertNull(gate.hindrance(delivery(0, "1")));
        gate.close(delivery(0, "1"), 1);
        assertEquals("1", gate.hindrance(delivery(0, "2")));
        assertEquals("1", gate.hindrance(delivery(0, "3")));
        assertNull(gate.hindrance(delivery(1, "4")), "a message of another partition");
        assertNull(gate.hindrance(delivery(0, "1")), "the message that failed");
        assertNull(gate.hindrance(delivery(0, "2")), "the next one, after it");
    }

    @Test
    void theFirstFailureOfAPartitionCounts() {
        gate.close(delivery(0, "1"), 1);
        gate.close(delivery(0, "2"), 2);
        assertEquals("1", gate.hindrance(delivery(0, "2")));
        assertNull(gate.hindrance(delivery(0, "1")));
    }

    @Test
    void theFirstThatWasStartedCountsWhateverFailsFirst() {
        gate.close(delivery(0, "3"), 3);
        gate.close(delivery(0, "1"), 1);
        gate.close(delivery(0, "2"), 2);
        assertEquals("1", gate.hindrance(delivery(0, "2")));
        assertNull(gate.hindrance(delivery(0, "1")));
        assertNull(gate.hindrance(delivery(0, "2")));
    }

    @Test
    void aCallerThatBeginsWithALaterMessageIsRefusedOnce() {
        gate.close(delivery(0, "1"), 1);
        assertEquals("1", gate.hindrance(delivery(0, "2")));
        assertEquals("1", gate.hindrance(delivery(0, "3")), "another one that was started with it");
        assertNull(gate.hindrance(delivery(0, "2")), "the first of them, the second time");
        assertNull(gate.hindrance(delivery(0, "3")));
    }

    @Test
    void noMessageIsRefusedTwice() {
        gate.close(delivery(0, "1"), 1);
        assertEquals("1", gate.hindrance(delivery(0, "2")));
        assertEquals("1", gate.hindrance(delivery(0, "9")), "after another process has published what was before it");
        assertNull(gate.hindrance(delivery(0, "9")), "the same, the second time");
        assertNull(gate.hindrance(delivery(0, "10")));
    }

    private static Delivery<String> delivery(int partition, String id) {
        return new Delivery<>(id, id, "t", partition, "key", Map.of(), new byte[0], 1, Instant.EPOCH);
    }
}
