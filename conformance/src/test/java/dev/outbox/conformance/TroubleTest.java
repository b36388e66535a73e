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
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What {@code docs/WHEN-THINGS-GO-WRONG.md} quotes is what the sources say, and it explains each line of the log. */
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
            "publishers/outbox-kafka",
            "publishers/outbox-rabbitmq",
            "publishers/outbox-nats",
            "publishers/outbox-sqs",
            "observability/outbox-micrometer",
            "observability/outbox-opentelemetry",
            "spring/outbox-spring",
            "spring/outbox-spring-boot",
            "spring/outbox-spring-modulith");

    private static final String ID = "\\[OUTBOX-\\d{3}\\] ";

    /** A line of the log from INFO upwards, and the text of it or the constant that has it. */
    private static final Pattern LINE =
            Pattern.compile("(?:\\b(?:LOG|SPARING|log|logger|sparing)\\.(?:info|warn|error)\\(|new Quietly\\([^,]*,"
                    + "|new Outage\\(\\s*\\w+,(?:\\s*\"" + ID + "[^\"]*\",)?)\\s*(\"?[^\",;)]+)");

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
    void everyLineOfTheLogHasAnIdThatIsExplained() throws IOException {
        List<String> sources = sources();
        List<String> wrong = new ArrayList<>();
        sources.stream()
                .filter(source -> !source.contains("final class Quietly ") && !source.contains("final class Outage "))
                .forEach(source -> wrong.addAll(linesWithoutId(source)));
        assertEquals(List.of(), wrong, "lines of the log without an id");
        List<String> ids = ids(sources);
        assertTrue(ids.size() > 60, "ids: " + ids);
        assertEquals(List.of(), twice(ids), "ids of two lines");
        assertEquals(Set.copyOf(ids), Set.copyOf(ids(quoted())), "ids of the sources, and those of " + DOCUMENT);
    }

    /** Nothing but Log writes lines, because it keeps texts of others on one line. */
    @Test
    void allLinesAreWrittenInOneWay() throws IOException {
        List<String> sources = sources();
        List<String> others = sources.stream()
                .filter(source -> source.contains("import org.slf4j.Logger") && !source.contains("final class Log "))
                .toList();
        assertEquals(List.of(), others);
        Set<String> names = sources.stream()
                .flatMap(source ->
                        Pattern.compile("\\bLog (\\w+)[ ;,)]").matcher(source).results())
                .map(name -> name.group(1))
                .collect(Collectors.toSet());
        names.remove("of"); // the method
        names.remove("sparing");
        assertEquals(Set.of("LOG", "SPARING", "log"), names, "names that the test above looks for");
    }

    @Test
    void aLineWithoutAnIdIsNoticed() {
        String constant = "private static final String AWAY = ";
        String known =
                constant + "\"[OUTBOX-999] It is away\"; LOG.warn(AWAY, e); sparing.info(\n\"[OUTBOX-998] Yes\");";
        assertEquals(List.of(), linesWithoutId(known));
        for (String wrong : List.of(
                "LOG.info(\"It is back\")",
                "log.warn(\n  \"[OUTBOX-1] It is back\")",
                "sparing.error(\"It failed: [OUTBOX-999] {}\", e)",
                "LOG.error(text, e)",
                constant + "\"It is away\"; LOG.warn(AWAY, e)",
                "new Quietly(\"dev.outbox\", \"It failed\")",
                "new Outage(LOG, \"It fails\", \"[OUTBOX-998] It works\")",
                "new Outage(LOG, \"[OUTBOX-999] It fails\", \"It works\")")) {
            assertEquals(1, linesWithoutId(wrong).size(), wrong);
        }
        assertEquals(List.of("[OUTBOX-999] "), twice(ids(List.of(known, "\"[OUTBOX-999] Another\""))));
    }

    private static List<String> linesWithoutId(String source) {
        return LINE.matcher(source)
                .results()
                .filter(line -> {
                    String text = line.group(1);
                    Pattern right = text.startsWith("\"")
                            ? Pattern.compile("\"" + ID + ".*", Pattern.DOTALL)
                            : Pattern.compile(".*\\b" + Pattern.quote(text) + " =\\s*\"" + ID + ".*", Pattern.DOTALL);
                    return !right.matcher(text.startsWith("\"") ? text : source).matches();
                })
                .map(MatchResult::group)
                .toList();
    }

    private static List<String> ids(List<String> texts) {
        return texts.stream()
                .flatMap(text -> Pattern.compile(ID).matcher(text).results())
                .map(MatchResult::group)
                .toList();
    }

    private static List<String> twice(List<String> ids) {
        return ids.stream()
                .filter(id -> ids.indexOf(id) != ids.lastIndexOf(id))
                .distinct()
                .toList();
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
