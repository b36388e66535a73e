package dev.outbox.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.zip.CRC32;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Text keeps {@code docs/STYLE.md}, as far as a machine can tell: the words of its table and the length of lines.
 *
 * <p>Old text may go on breaking the rules. It is known by a checksum of each line and not by its place, so that files can be
 * moved and renamed.
 */
class StyleTest {
    /** Set it to have the list of old text written, by {@code -Doutbox.style.write}. */
    private static final String WRITE = "outbox.style.write";

    private static final Path ROOT = Path.of("..");
    private static final Path STYLE = ROOT.resolve("docs").resolve("STYLE.md");
    private static final Path OLD_TEXT = Path.of("src", "test", "resources", "old-text.txt");
    private static final int LONGEST_LINE = 120;

    @Test
    void newTextKeepsTheRules() throws IOException {
        List<Prose.Line> lines = Prose.below(ROOT);
        assertTrue(lines.size() > 5_000, "lines of text: " + lines.size());
        Pattern words = words();
        List<Prose.Line> broken =
                lines.stream().filter(line -> fault(line, words) != null).toList();
        if (System.getProperty(WRITE) != null) {
            Files.writeString(OLD_TEXT, oldText(broken));
            System.out.println("Lines of old text: " + broken.size());
            return;
        }
        Set<String> old = oldLines();
        String faults = broken.stream()
                .filter(line -> !old.contains(sum(line)))
                .map(line -> line.file() + ":" + line.number() + ": " + fault(line, words) + ": " + line.text())
                .collect(Collectors.joining("\n"));
        assertEquals("", faults, "new text that does not keep docs/STYLE.md, which says what to write instead");
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

    private static Set<String> oldLines() throws IOException {
        return Files.readAllLines(OLD_TEXT).stream()
                .filter(line -> !line.startsWith("#"))
                .flatMap(line -> List.of(line.split(" ")).stream().skip(1))
                .collect(Collectors.toSet());
    }

    /** A line for each file, sorted: its name, and the checksums of its lines. */
    private static String oldText(List<Prose.Line> lines) {
        Map<String, Set<String>> files = new TreeMap<>();
        for (Prose.Line line : lines) {
            String name = line.file().getFileName().toString();
            files.computeIfAbsent(name, file -> new TreeSet<>()).add(sum(line));
        }
        StringBuilder text = new StringBuilder("# Lines that are older than docs/STYLE.md and do not keep it.\n");
        files.forEach((name, sums) ->
                text.append(name).append(' ').append(String.join(" ", sums)).append('\n'));
        return text.toString();
    }

    private static String sum(Prose.Line line) {
        CRC32 sum = new CRC32();
        sum.update(line.text().getBytes(StandardCharsets.UTF_8));
        return String.format(Locale.ROOT, "%08x", sum.getValue());
    }
}
