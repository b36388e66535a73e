package dev.outbox.store.support;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HeadersJsonTest {
    @Test
    void theyComeBackAsTheyWereAndInOrder() {
        Map<String, String> headers = new LinkedHashMap<>();
        headers.put("z", "");
        headers.put("a \"quoted\"\n", "\u0001\ud83d\ude00");
        headers.put("n".repeat(100_000), "v".repeat(100_000));
        assertEquals(
                List.copyOf(headers.entrySet()),
                new ArrayList<>(HeadersJson.read(HeadersJson.text(headers)).entrySet()));
        assertEquals(
                List.copyOf(headers.entrySet()),
                new ArrayList<>(HeadersJson.read(HeadersJson.bytes(headers)).entrySet()));
        assertEquals(Map.of(), HeadersJson.read(HeadersJson.text(Map.of())));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "null",
                "[]",
                "1",
                "\"a\"",
                "{",
                "{\"a\"",
                "{\"a\":1}",
                "{\"a\":null}",
                "{\"a\":{}}",
                "{\"a\":\"b\"} x",
                "{\"a\":\"b\",\"a\":\"c\"}",
                "{\"a\":\"b\"}{}",
                "{a:\"b\"}"
            })
    void whatIsAnythingElseIsNotMisread(String stored) {
        assertThrows(UncheckedIOException.class, () -> HeadersJson.read(stored));
        assertThrows(UncheckedIOException.class, () -> HeadersJson.read(stored.getBytes(StandardCharsets.UTF_8)));
    }
}
