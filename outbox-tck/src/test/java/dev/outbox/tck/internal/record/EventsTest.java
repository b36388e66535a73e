package dev.outbox.tck.internal.record;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A history is read by people. */
class EventsTest {
    private final Events events = new Events();

    @Test
    void messagesGoByTheirTexts() {
        assertEquals("'a'", events.name("17", bytes("a")));
        assertEquals("'a'#2", events.name("18", bytes("a")), "another message of the same text");
        assertEquals("'a'", events.name("17", bytes("a")), "the first one again");
        assertEquals("'3 bytes'", events.name("19", new byte[] {0, -1, 7}));
        assertEquals("'" + "x".repeat(12) + "…, 1000 bytes'", events.name("20", bytes("x".repeat(1_000))));
        assertEquals("'5000 bytes'", events.name("21", bytes("x".repeat(5_000))), "what is too long to look at");
    }

    @Test
    void whatIsRepeatedIsOneLine() {
        for (int i = 0; i < 31; i++) {
            events.add("client 1 checked out nothing");
        }
        events.add("client 1 closed");
        List<String> lines = events.lines();
        assertEquals(2, lines.size(), "lines: " + lines);
        assertTrue(lines.get(0).endsWith(" ms  client 1 checked out nothing (31 times)"), lines.get(0));
        assertTrue(lines.get(1).endsWith(" ms  client 1 closed"), lines.get(1));
    }

    @Test
    void onlyTheLastAreShown() {
        for (int i = 0; i < 100; i++) {
            events.add("event " + i);
        }
        List<String> lines = events.lines();
        assertEquals("(40 earlier events left out)", lines.get(0));
        assertTrue(lines.get(60).endsWith("event 99"), lines.get(60));
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }
}
