package dev.outbox.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What {@code docs/WHEN-THINGS-GO-WRONG.md} quotes is what the sources say. */
class TroubleTest {
    private static final Path DOCUMENT = Path.of("..", "docs", "WHEN-THINGS-GO-WRONG.md");
    private static final List<String> MODULES = List.of(
            "outbox-api",
            "outbox-jackson",
            "outbox-jackson3",
            "outbox-relay",
            "outbox-store-support",
            "outbox-store-jooq",
            "outbox-store-redis",
            "outbox-store-mongo",
            "observability/outbox-micrometer",
            "observability/outbox-opentelemetry",
            "spring/outbox-spring",
            "spring/outbox-spring-boot");

    @Test
    void everyTextIsInASource() throws IOException {
        List<String> sources = sources();
        assertTrue(sources.size() > 100, "sources: " + sources.size());
        List<String> quoted = quoted();
        assertTrue(quoted.size() > 30, "texts: " + quoted.size());
        List<String> gone = quoted.stream().filter(text -> !isIn(sources, text)).toList();
        assertEquals(List.of(), gone, "texts of " + DOCUMENT + " that no source has");
    }

    @Test
    void aTextThatNoSourceHasIsNoticed() throws IOException {
        assertFalse(isIn(sources(), "The store failed; giving up"));
        assertFalse(isIn(sources(), "The store failed; …, and never again"));
    }

    @Test
    void theReadmeLeadsThere() throws IOException {
        assertTrue(Files.readString(Path.of("..", "README.md")).contains("(docs/WHEN-THINGS-GO-WRONG.md)"));
    }

    /** The lines of its blocks of text. */
    private static List<String> quoted() throws IOException {
        List<String> lines = new ArrayList<>();
        boolean inside = false;
        for (String line : Files.readAllLines(DOCUMENT)) {
            if (line.startsWith("```")) {
                inside = line.equals("```text");
            } else if (inside) {
                lines.add(line);
            }
        }
        return lines;
    }

    /** Whether one source has all that is between the places where it differs. */
    private static boolean isIn(List<String> sources, String text) {
        List<String> parts = Arrays.stream(text.split("…"))
                .map(String::strip)
                .filter(part -> part.length() > 2)
                .toList();
        return !parts.isEmpty()
                && sources.stream().anyMatch(source -> parts.stream().allMatch(source::contains));
    }

    /** With literals joined that are written in several lines. */
    private static List<String> sources() throws IOException {
        List<String> sources = new ArrayList<>();
        for (String module : MODULES) {
            try (Stream<Path> files = Files.walk(Path.of("..", module, "src", "main", "java"))) {
                for (Path file :
                        files.filter(f -> f.toString().endsWith(".java")).toList()) {
                    sources.add(Files.readString(file).replaceAll("\"\\s*\\+\\s*\"", ""));
                }
            }
        }
        return sources;
    }
}
