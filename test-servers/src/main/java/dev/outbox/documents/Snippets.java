package dev.outbox.documents;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The Java in a document, which is also in a test, so that it is compiled. */
public final class Snippets {
    private static final Pattern SNIPPET = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);

    private Snippets() {}

    /**
     * Compares the code of a document with that of a test, white space apart. The test runs in the folder of its
     * module, two folders below the root of the project.
     *
     * @param document its name, in the folder {@code docs}
     * @return how many snippets the document has
     * @throws AssertionError if one of them is not in the test
     */
    public static int compiledBy(Class<?> test, String document) throws IOException {
        Path source = Path.of("src", "test", "java").resolve(test.getName().replace('.', '/') + ".java");
        String compiled = oneLine(Files.readString(source));
        Matcher snippet = SNIPPET.matcher(
                Files.readString(Path.of("..", "..", "docs", document)).replace("\r\n", "\n"));
        int snippets = 0;
        while (snippet.find()) {
            snippets++;
            if (!compiled.contains(oneLine(snippet.group(1)))) {
                throw new AssertionError("Not in " + source + ": " + snippet.group(1));
            }
        }
        return snippets;
    }

    private static String oneLine(String text) {
        return text.replaceAll("\\s+", "");
    }
}
