package dev.outbox.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The store that {@code docs/WRITING-A-STORE.md} leads through is the one in {@code examples/custom-store}. */
class DocumentationTest {
    static final Path DOCUMENT = Path.of("..", "docs", "WRITING-A-STORE.md");
    static final Path PROJECT = Path.of("..", "examples", "custom-store");
    private static final String HARNESS = "src/test/java/com/example/outbox/HsqlHarness.java";

    @Test
    void theDocumentHasEveryFileOfTheExample() throws Exception {
        Map<String, String> written = Snippets.in(DOCUMENT);
        Map<String, String> built = Snippets.of(PROJECT);
        assertEquals(built.keySet(), written.keySet(), "files of the example and in the document");
        built.forEach((name, text) -> assertEquals(text, written.get(name), name + " in the document"));
    }

    @Test
    void aHarnessIsShort() throws Exception {
        String harness = Snippets.in(DOCUMENT).getOrDefault(HARNESS, "");
        long lines = harness.lines()
                .dropWhile(line -> !line.startsWith("public final class"))
                .count();
        assertTrue(lines > 10 && lines <= 30, "lines of the harness class: " + lines);
    }

    @Test
    void theExampleIsForThisVersion() throws Exception {
        String version = "<outbox.version>" + System.getProperty("outbox.version") + "</outbox.version>";
        assertTrue(Snippets.in(DOCUMENT).getOrDefault("pom.xml", "").contains(version), "pom.xml has " + version);
    }

    @Test
    void theReadmeIsForThisVersion() throws Exception {
        String version = "<version>" + System.getProperty("outbox.version") + "</version>";
        assertTrue(Files.readString(Path.of("..", "README.md")).contains(version), "README.md has " + version);
    }
}
