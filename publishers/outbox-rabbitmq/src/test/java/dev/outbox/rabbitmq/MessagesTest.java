package dev.outbox.rabbitmq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.outbox.Delivery;
import dev.outbox.PermanentFailureException;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Which headers fit into a frame; no server is there. */
class MessagesTest {
    private static final int FRAME = 131_072;

    private final Messages<String> messages = new Messages<>(Delivery::topic, null, "");

    @Test
    void headersThatFitOnlyWhenTheyAreEncodedAreTaken() {
        String note = "x".repeat(120_000);
        assertEquals(note, of(note).properties().getHeaders().get("note"));
    }

    @Test
    void headersWhoseBytesDoNotFitAreRefused() {
        assertThrows(PermanentFailureException.class, () -> of("€".repeat(45_000)));
        assertThrows(PermanentFailureException.class, () -> of("x".repeat(FRAME)));
    }

    private Outgoing of(String note) {
        return messages.of(
                new Delivery<>("text", "id", "orders", 0, null, Map.of("note", note), new byte[1], 1, Instant.EPOCH),
                FRAME);
    }
}
