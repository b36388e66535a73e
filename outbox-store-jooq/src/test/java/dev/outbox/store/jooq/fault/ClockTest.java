package dev.outbox.store.jooq.fault;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The clock of the JVM may jump at any time: nothing goes by it. Durations are measured by a clock that never does, but that one
 * stands still while a machine sleeps; so when a server last answered is told by both.
 */
class ClockTest {
    private static final Pattern CLOCK = Pattern.compile(
            "currentTimeMillis|\\bnow\\(\\)\\s*\\.(?:plus|minus)|(?:Instant|LocalDateTime|OffsetDateTime|Clock)\\.(?:now|system)"
                    + "|new (?:java\\.util\\.)?Date\\(\\)");

    /** There a jump costs one sign of life more, and a step that hides an hour changes nothing: the other clock saw it. */
    private static final String BY_BOTH_CLOCKS = "LastAnswer.java";

    @Test
    void nothingInTheStoreAsksForTheTimeOfThisMachine() throws IOException {
        try (Stream<Path> files = Files.walk(Path.of("src", "main", "java"))) {
            List<Path> sources =
                    files.filter(file -> file.toString().endsWith(".java")).toList();
            assertTrue(sources.size() > 20, "sources found: " + sources.size());
            List<String> askers = sources.stream()
                    .filter(file -> !file.endsWith(BY_BOTH_CLOCKS))
                    .filter(file -> CLOCK.matcher(read(file)).find())
                    .map(Path::toString)
                    .toList();
            assertEquals(List.of(), askers);
        }
    }

    private static String read(Path file) {
        try {
            return Files.readString(file);
        } catch (IOException e) {
            throw new java.io.UncheckedIOException(e);
        }
    }
}
