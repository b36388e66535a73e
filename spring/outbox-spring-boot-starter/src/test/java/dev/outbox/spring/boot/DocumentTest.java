package dev.outbox.spring.boot;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** All Java and YAML of {@code docs/SPRING.md} is in applications that tests run, and in the example. */
class DocumentTest {
    private static final Path SPRING = Path.of("..");
    private static final Pattern SNIPPET =
            Pattern.compile("(?:<!-- file: (.*?) -->\\n)?```(?:java|yaml)\\n(.*?)```", Pattern.DOTALL);

    private static final Pattern MISTAKE = Pattern.compile("\\| [^|]+ \\| `([^`]+)` \\|");

    @Test
    void everySnippetIsTested() throws IOException {
        List<String> sources =
                new ArrayList<>(texts(SPRING.resolve(Path.of("..", "examples", "spring-shop", "src", "main"))));
        for (String module : List.of("outbox-spring", "outbox-spring-boot-starter")) {
            sources.addAll(texts(SPRING.resolve(module).resolve("src").resolve("test")));
        }
        List<MatchResult> snippets = SNIPPET.matcher(
                        Files.readString(SPRING.resolve("..").resolve("docs").resolve("SPRING.md")))
                .results()
                .toList();
        assertTrue(snippets.size() >= 6, "snippets: " + snippets.size());
        List<String> untested = new ArrayList<>();
        for (MatchResult snippet : snippets) {
            boolean isWhole = snippet.group(1) != null;
            String text = isWhole ? snippet.group(2) : words(snippet.group(2));
            if (sources.stream()
                    .noneMatch(source ->
                            isWhole ? source.equals(text) : words(source).contains(text))) {
                untested.add(snippet.group(2));
            }
        }
        assertEquals(List.of(), untested, "in no test");
    }

    @Test
    void everyTextOfAMistakeIsTested() throws IOException {
        String tests = "";
        for (String module : List.of("outbox-spring", "outbox-spring-boot-starter", "outbox-spring-modulith")) {
            tests += String.join("", texts(SPRING.resolve(module).resolve("src").resolve("test")));
        }
        String joined = tests.replaceAll("\"\\s*\\+\\s*\"", "");
        String page = Files.readString(SPRING.resolve("..").resolve("docs").resolve("SPRING.md"));
        List<String> mistakes = MISTAKE.matcher(
                        page.substring(page.indexOf("## Mistakes"), page.indexOf("## The relay")))
                .results()
                .map(row -> row.group(1))
                .toList();
        assertTrue(mistakes.size() >= 20, "mistakes: " + mistakes.size());
        List<String> untested = mistakes.stream()
                .filter(text -> Stream.of(text.split("…", -1)).anyMatch(part -> !joined.contains(part)))
                .toList();
        assertEquals(List.of(), untested, "in no test");
    }

    private static String words(String text) {
        return text.replaceAll("\\s+", " ").strip();
    }

    private static List<String> texts(Path folder) throws IOException {
        try (Stream<Path> files = Files.walk(folder)) {
            List<String> texts = new ArrayList<>();
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                texts.add(Files.readString(file));
            }
            return texts;
        }
    }
}
