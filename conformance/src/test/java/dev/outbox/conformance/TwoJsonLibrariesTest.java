package dev.outbox.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.Codec;
import dev.outbox.Codecs;
import dev.outbox.ConfigurationException;
import dev.outbox.Topic;
import dev.outbox.jackson.JacksonCodecs;
import dev.outbox.jackson3.Jackson3Codecs;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Both codecs for JSON are on the class path of this module. */
class TwoJsonLibrariesTest {
    enum Colour {
        RED {
            @Override
            public String toString() {
                return "as red as can be";
            }
        },
        GREEN
    }

    record Line(String article, BigDecimal price) {}

    record Order(
            UUID id,
            Colour colour,
            Instant at,
            ZonedDateTime due,
            Duration patience,
            List<Line> lines,
            Map<Colour, Integer> counts,
            Set<String> tags,
            double weight) {}

    @SuppressWarnings("unused")
    static class Bean {
        private String zip = "1";
        public int age = 2;
        private boolean open = true;

        public String getZip() {
            return zip;
        }

        public void setZip(String zip) {
            this.zip = zip;
        }

        public boolean isOpen() {
            return open;
        }

        public void setOpen(boolean open) {
            this.open = open;
        }
    }

    @Test
    void noneIsChosenAndTheErrorNamesBoth() {
        for (Runnable use : List.<Runnable>of(() -> Codecs.json(Order.class), () -> Topic.builder("t", Order.class))) {
            String text = assertThrows(ConfigurationException.class, use::run).getMessage();
            assertTrue(
                    text != null
                            && text.contains("There are 2 artifacts on the class path")
                            && text.contains("outbox-jackson: JSON by Jackson 2")
                            && text.contains("outbox-jackson3: JSON by Jackson 3")
                            && text.contains("Topic.builder(name, codec)"),
                    text);
        }
    }

    @Test
    void aTopicThatIsGivenItsCodecAsksNobody() throws Exception {
        for (Codec<Line> codec : List.of(JacksonCodecs.json(Line.class), Jackson3Codecs.json(Line.class))) {
            Topic<Line> topic = Topic.builder("t", codec).build();
            Line line = new Line("a", new BigDecimal("1.10"));
            assertEquals(line, topic.codec().decode(topic.codec().encode(line)));
        }
    }

    @Test
    void bothWriteTheSame() throws Exception {
        Order order = new Order(
                UUID.randomUUID(),
                Colour.RED,
                Instant.parse("2026-03-01T12:00:00.5Z"),
                ZonedDateTime.of(2026, 10, 25, 2, 30, 0, 0, ZoneId.of("Europe/Berlin")),
                Duration.ofSeconds(90),
                List.of(new Line("b", new BigDecimal("1.10")), new Line("a", new BigDecimal("1E+3"))),
                Map.of(Colour.RED, 1),
                Set.of("x"),
                0.1);
        assertSame(Order.class, order);
        assertSame(Bean.class, new Bean());
        assertSame(Colour.class, Colour.RED);
        assertSame(byte[].class, new byte[] {1, -1});
    }

    private static <T> void assertSame(Class<T> type, T message) throws Exception {
        Codec<T> two = JacksonCodecs.json(type);
        Codec<T> three = Jackson3Codecs.json(type);
        byte[] written = two.encode(message);
        assertEquals(
                new String(written, StandardCharsets.UTF_8),
                new String(three.encode(message), StandardCharsets.UTF_8),
                "what both wrote");
        assertEquals(
                new String(written, StandardCharsets.UTF_8),
                new String(two.encode(three.decode(written)), StandardCharsets.UTF_8),
                "read by the other");
    }
}
