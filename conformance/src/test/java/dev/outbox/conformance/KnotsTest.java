package dev.outbox.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** No packages of a module need each other in a circle, and no more than three classes of one do. */
class KnotsTest {
    private static final int MOST_CLASSES = 3;

    /** Those that are built before this one; others are looked at if they are there. */
    private static final List<String> ALWAYS = List.of(
            "outbox-api",
            "outbox-jackson",
            "outbox-jackson3",
            "outbox-relay",
            "outbox-store-jooq",
            "outbox-store-memory",
            "outbox-store-mongo",
            "outbox-store-redis",
            "outbox-tck");

    @Test
    void nothingIsInAKnot() throws IOException {
        assertEquals(Set.of(), present(), "in a knot: cut one of the ways that lead back");
    }

    @Test
    void aKnotIsFound() {
        Map<String, Set<String>> needs = Map.of(
                "a", Set.of("b"),
                "b", Set.of("c", "d"),
                "c", Set.of("a"),
                "d", Set.of("e"),
                "e", Set.of());
        assertEquals(List.of(Set.of("a", "b", "c")), Knots.in(needs));
    }

    /** A line for each package or class that is in a knot. */
    private static Set<String> present() throws IOException {
        Set<String> lines = new TreeSet<>();
        classes().forEach((module, folder) -> {
            Knots.ofPackages(folder).forEach(knot -> knot.forEach(name -> lines.add(module + " package " + name)));
            Knots.ofClasses(folder).stream()
                    .filter(knot -> knot.size() > MOST_CLASSES)
                    .forEach(knot -> knot.forEach(name -> lines.add(module + " class " + name)));
        });
        return lines;
    }

    private static Map<String, Path> classes() throws IOException {
        Map<String, Path> folders = new TreeMap<>();
        List<String> modules = new ArrayList<>(ALWAYS);
        Pattern.compile("<module>(.*?)</module>")
                .matcher(Files.readString(Path.of("..", "pom.xml")))
                .results()
                .forEach(module -> modules.add(module.group(1)));
        for (String module : modules) {
            Path folder = Path.of("..", module, "target", "classes");
            assertTrue(Files.isDirectory(folder) || !ALWAYS.contains(module), folder + " is not there");
            if (Files.isDirectory(folder)) {
                folders.put(module, folder);
            }
        }
        return folders;
    }
}
