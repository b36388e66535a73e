package dev.outbox.conformance;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The files that a document tells its readers to make: blocks of code with {@code <!-- file: name -->} above them. */
final class Snippets {
    private static final Pattern FILE =
            Pattern.compile("^<!-- file: (\\S+) -->\n+```\\w*\n(.*?\n)```$", Pattern.MULTILINE | Pattern.DOTALL);

    private Snippets() {}

    /** The files by their names. */
    static Map<String, String> in(Path document) throws IOException {
        Map<String, String> files = new TreeMap<>();
        Matcher file = FILE.matcher(Files.readString(document).replace("\r\n", "\n"));
        while (file.find()) {
            if (files.put(file.group(1), file.group(2)) != null) {
                throw new AssertionError(document + " has " + file.group(1) + " twice");
            }
        }
        return files;
    }

    /** The files of a project, without what was built. */
    static Map<String, String> of(Path project) throws IOException {
        Map<String, String> files = new TreeMap<>();
        try (Stream<Path> all = Files.walk(project)) {
            all.filter(Files::isRegularFile)
                    .filter(file -> !file.startsWith(project.resolve("target")))
                    .forEach(file ->
                            files.put(project.relativize(file).toString().replace('\\', '/'), read(file)));
        }
        return files;
    }

    private static String read(Path file) {
        try {
            return Files.readString(file).replace("\r\n", "\n");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
