package dev.outbox.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The names of classes in the glossary of {@code CONTRIBUTING.md} are names of classes. */
class GlossaryTest {
    private static final Path ROOT = Path.of("..");

    /** A name in backticks that begins with a capital letter, but not {@code XStore}, which stands for several. */
    private static final Pattern NAME = Pattern.compile("`((?!X[A-Z])[A-Z][A-Za-z]+)`");

    private static final Pattern TYPE = Pattern.compile("\\b(?:class|interface|record|enum) ([A-Z]\\w+)");

    @Test
    void everyNameIsAClass() throws IOException {
        String text = Files.readString(ROOT.resolve("CONTRIBUTING.md"));
        Set<String> names = found(NAME, text.substring(text.indexOf("## Glossary"), text.indexOf("## Adding a store")));
        assertTrue(names.size() > 60, "names in the glossary: " + names);
        names.removeAll(types());
        assertEquals(Set.of(), names, "names in the glossary that no class has");
    }

    private static Set<String> types() throws IOException {
        Set<String> types = new TreeSet<>();
        Files.walkFileTree(ROOT, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
                return Set.of("target", "test", ".git")
                                .contains(folder.getFileName().toString())
                        ? FileVisitResult.SKIP_SUBTREE
                        : FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) throws IOException {
                if (file.toString().endsWith(".java")) {
                    types.addAll(found(TYPE, Files.readString(file)));
                }
                return FileVisitResult.CONTINUE;
            }
        });
        return types;
    }

    private static Set<String> found(Pattern pattern, String text) {
        Set<String> found = new TreeSet<>();
        for (Matcher match = pattern.matcher(text); match.find(); ) {
            found.add(match.group(1));
        }
        return found;
    }
}
