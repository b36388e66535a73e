package dev.outbox;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class OutgoingMessageTest {
    private static final byte[] PAYLOAD = {1};

    @ParameterizedTest
    @ValueSource(strings = {"orders", "a", "A.b_c-d/e:1"})
    void acceptsTopicNames(String topic) {
        assertEquals(topic, new OutgoingMessage(topic, 0, null, Map.of(), PAYLOAD).topic());
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "two words", "ümlaut", "tab\t", "nul\0", "{slot}", "*"})
    void refusesOtherTopicNames(String topic) {
        String text = rejected(topic, 0, null, Map.of(), PAYLOAD);
        assertTrue(text.contains("Expected 1 to 200 of the characters"), text);
        assertTrue(text.chars().noneMatch(Character::isISOControl), text);
    }

    @Test
    void refusesWhatIsTooLarge() {
        assertEquals(
                200,
                new OutgoingMessage("t".repeat(200), 0, null, Map.of(), PAYLOAD)
                        .topic()
                        .length());
        rejected("t".repeat(201), 0, null, Map.of(), PAYLOAD);
        assertEquals("k".repeat(1000), new OutgoingMessage("t", 0, "k".repeat(1000), Map.of(), PAYLOAD).key());
        assertTrue(rejected("t", 0, "k".repeat(1001), Map.of(), PAYLOAD).contains("1001 characters; at most 1000"));
        rejected("t", 0, null, Map.of("h", "v".repeat(32_000)), PAYLOAD);
        byte[] largest = new byte[OutgoingMessage.MAX_PAYLOAD_BYTES];
        assertEquals(largest, new OutgoingMessage("t", 0, null, Map.of(), largest).payload());
        assertTrue(rejected("t", 0, null, Map.of(), new byte[OutgoingMessage.MAX_PAYLOAD_BYTES + 1])
                .contains("16777217 bytes; at most 16777216"));
        rejected("t", -1, null, Map.of(), PAYLOAD);
    }

    @Test
    void refusesTextThatStoresCannotKeep() {
        assertEquals("😀\n", new OutgoingMessage("t", 0, "😀\n", Map.of(), PAYLOAD).key());
        for (String text : List.of("a\0b", "\uD800", "\uDC00x", "x\uD83D", "\uD83D\uD83D\uDE00")) {
            assertTrue(rejected("t", 0, text, Map.of(), PAYLOAD).startsWith("The key has "));
            rejected("t", 0, null, Map.of("h", text), PAYLOAD);
            rejected("t", 0, null, Map.of("h" + text, "v"), PAYLOAD);
        }
        rejected("t", 0, null, Map.of("", "v"), PAYLOAD);
        Map<String, @Nullable String> withNull = new HashMap<>();
        withNull.put("h", null);
        @SuppressWarnings("NullAway") // what Java callers may do all the same
        Map<String, String> unchecked = withNull;
        assertTrue(rejected("t", 0, null, unchecked, PAYLOAD).contains("Header 'h' needs a name and a value"));
    }

    @Test
    void copiesHeadersInTheirOrder() {
        Map<String, String> headers = new LinkedHashMap<>();
        headers.put("z", "1");
        headers.put("a", "2");
        OutgoingMessage message = new OutgoingMessage("t", 0, null, headers, PAYLOAD);
        headers.clear();
        assertEquals(List.of("z", "a"), List.copyOf(message.headers().keySet()));
        assertThrows(
                UnsupportedOperationException.class, () -> message.headers().put("x", "y"));
        assertEquals(Collections.emptyMap(), new OutgoingMessage("t", 0, null, headers, PAYLOAD).headers());
    }

    @Test
    void drawsAnIdUnlessItIsGivenOne() {
        long before = System.currentTimeMillis();
        String drawn = new OutgoingMessage("t", 0, null, Map.of(), PAYLOAD).id();
        UUID id = UUID.fromString(drawn);
        assertEquals(drawn, id.toString());
        assertEquals(7, id.version());
        assertEquals(2, id.variant());
        long millis = id.getMostSignificantBits() >>> 16;
        assertTrue(before <= millis && millis <= System.currentTimeMillis(), drawn);
        assertEquals(drawn, new OutgoingMessage(drawn, "t", 0, null, Map.of(), PAYLOAD).id());
        String random = UUID.randomUUID().toString();
        assertEquals(random, new OutgoingMessage(random, "t", 0, null, Map.of(), PAYLOAD).id());
    }

    @Test
    void drawsNoIdTwiceOnManyThreads() throws Exception {
        int threads = 4;
        int each = 50_000;
        Set<String> all = ConcurrentHashMap.newKeySet();
        ExecutorService executor = Executors.newFixedThreadPool(threads);
        try {
            List<Future<?>> running = new ArrayList<>();
            for (int t = 0; t < threads; t++) {
                running.add(executor.submit(() -> {
                    for (int i = 0; i < each; i++) {
                        all.add(MessageIds.draw());
                    }
                }));
            }
            for (Future<?> one : running) {
                one.get();
            }
        } finally {
            executor.shutdown();
        }
        assertEquals(threads * each, all.size());
    }

    @Test
    void everyBitThatIsLeftToChanceIsSometimesSetAndSometimesNot() {
        long everHigh = 0;
        long everLow = 0;
        long alwaysHigh = -1;
        long alwaysLow = -1;
        for (int i = 0; i < 1_000; i++) {
            UUID id = UUID.fromString(MessageIds.draw());
            everHigh |= id.getMostSignificantBits();
            alwaysHigh &= id.getMostSignificantBits();
            everLow |= id.getLeastSignificantBits();
            alwaysLow &= id.getLeastSignificantBits();
        }
        assertEquals(0x7fff, everHigh & 0xffff);
        assertEquals(0x7000, alwaysHigh & 0xffff);
        assertEquals(0xbfff_ffff_ffff_ffffL, everLow);
        assertEquals(0x8000_0000_0000_0000L, alwaysLow);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "1",
                "0192F0C1-2A3B-7C4D-8E5F-60718293A4B5",
                "0192f0c12a3b7c4d8e5f60718293a4b5",
                "{0192f0c1-2a3b-7c4d-8e5f-60718293a4b5}",
                "0192f0c1-2a3b-7c4d-8e5f-60718293a4b",
                "0192f0c1-2a3b-7c4d-8e5f-60718293a4b5\n",
                "0192f0c1-2a3b-7c4d-8e5f-60718293a4b٣",
                "0192f0c1-2a3b7-c4d-8e5f-60718293a4b5",
                "1-1-1-1-1"
            })
    void refusesWhatIsNoId(String id) {
        String text = assertThrows(
                        MessageRejectedException.class, () -> new OutgoingMessage(id, "t", 0, null, Map.of(), PAYLOAD))
                .getMessage();
        assertTrue(text.startsWith("Not the id of a message: '"), text);
        assertTrue(text.contains("Expected a UUID in its usual form"), text);
        assertTrue(text.chars().noneMatch(Character::isISOControl), text);
    }

    private static String rejected(
            String topic, int partition, @Nullable String key, Map<String, String> headers, byte[] payload) {
        String text = assertThrows(
                        MessageRejectedException.class,
                        () -> new OutgoingMessage(topic, partition, key, headers, payload))
                .getMessage();
        return text;
    }
}
