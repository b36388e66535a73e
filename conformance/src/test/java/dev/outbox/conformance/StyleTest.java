package dev.outbox.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Text keeps {@code docs/STYLE.md}, as far as a machine can tell: the words of its table and the length of lines. */
class StyleTest {
    private static final Path ROOT = Path.of("..");
    private static final Path STYLE = ROOT.resolve("docs").resolve("STYLE.md");
    private static final int LONGEST_LINE = 120;

    @Test
    void allTextKeepsTheRules() throws IOException {
        List<Prose.Line> lines = Prose.below(ROOT);
        assertTrue(lines.size() > 5_000, "lines of text: " + lines.size());
        Pattern words = words();
        String faults = lines.stream()
                .filter(line -> fault(line, words) != null)
                .map(line -> line.file() + ":" + line.number() + ": " + fault(line, words) + ": " + line.text())
                .collect(Collectors.joining("\n"));
        assertEquals("", faults, "text that does not keep docs/STYLE.md, which says what to write instead");
    }

    @Test
    void aFaultInACommentIsFound() throws IOException {
        String source =
                "int whoever; // asks\nString s = \"behind\"; /* {@code behind} the\n * lock, ANEW */ char c = '\"';";
        List<String> faults = Prose.comments(Path.of("A.java"), source).stream()
                .map(StyleTest::faultOf)
                .toList();
        assertEquals(Arrays.asList(null, null, "'ANEW'"), faults);
    }

    @Test
    void aFaultInADocumentIsFound() throws IOException {
        String document = "Wait at once.\n\n    at once\n\n```\nat once\n```\n| `at once` |\n" + "word ".repeat(25);
        List<String> faults = Prose.markdown(Path.of("a.md"), document).stream()
                .filter(line -> !line.text().isEmpty())
                .map(StyleTest::faultOf)
                .toList();
        assertEquals(Arrays.asList("'at once'", null, "125 characters, 120 are allowed"), faults);
    }

    private static @Nullable String faultOf(Prose.Line line) {
        try {
            return fault(line, words());
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What is wrong with a line, or null. */
    private static @Nullable String fault(Prose.Line line, Pattern words) {
        if (line.length() > LONGEST_LINE) {
            return line.length() + " characters, " + LONGEST_LINE + " are allowed";
        }
        Matcher word = words.matcher(line.words());
        return word.find() ? "'" + word.group() + "'" : null;
    }

    /** The words in the first column of the table. */
    private static Pattern words() throws IOException {
        String table = Files.readString(STYLE);
        table = table.substring(
                table.indexOf("<!-- The checked words"), table.indexOf("<!-- End of the checked words"));
        List<String> words = new ArrayList<>();
        Matcher row = Pattern.compile("^\\| (`.*?`) \\|", Pattern.MULTILINE).matcher(table);
        while (row.find()) {
            words.addAll(List.of(row.group(1).replace("`", "").split(", ")));
        }
        assertTrue(words.size() > 20, "words of docs/STYLE.md: " + words);
        return Pattern.compile("\\b(?:" + String.join("|", words) + ")\\b", Pattern.CASE_INSENSITIVE);
    }
}
