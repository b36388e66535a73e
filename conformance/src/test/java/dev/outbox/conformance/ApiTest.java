package dev.outbox.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.module.ModuleReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What is public does not change by accident: {@code api.txt} beside the {@code pom.xml} of each module lists it. */
class ApiTest {
    /** Set it to have the lists written, by {@code -Doutbox.api.write}. */
    private static final String WRITE = "outbox.api.write";

    private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
    private static final String COMMAND =
            "mvn verify -pl conformance -am -Dtest=ApiTest -Dsurefire.failIfNoSpecifiedTests=false -D" + WRITE;
    private static final String HEAD = "# The public API, written by " + COMMAND;

    @Test
    void everyChangeOfThePublicApiIsWrittenDown() throws IOException {
        Map<Path, ModuleReference> modules = PublicApi.modules(System.getProperty("java.class.path"), ROOT);
        assertTrue(modules.size() >= 5, "modules: " + modules);
        StringBuilder changes = new StringBuilder();
        for (Map.Entry<Path, ModuleReference> module : modules.entrySet()) {
            List<String> api = PublicApi.of(module.getValue());
            assertTrue(!api.isEmpty(), module.getKey() + " exports nothing");
            Path list = module.getKey().resolve("api.txt");
            if (System.getProperty(WRITE) != null) {
                Files.writeString(list, HEAD + "\n" + String.join("\n", api) + "\n");
            } else {
                changes.append(changes(ROOT.relativize(list), written(list), api));
            }
        }
        assertEquals(
                "",
                changes.toString(),
                "the public API is not what api.txt says: undo the change; or run " + COMMAND
                        + ", look at the difference, and say in CHANGELOG.md how users follow");
    }

    @Test
    void noModuleIsForgotten() throws IOException {
        Set<Path> modules =
                PublicApi.modules(System.getProperty("java.class.path"), ROOT).keySet();
        for (Path group :
                List.of(ROOT, ROOT.resolve("publishers"), ROOT.resolve("observability"), ROOT.resolve("spring"))) {
            try (Stream<Path> folders = Files.list(group)) {
                List<Path> forgotten = folders.filter(
                                folder -> PublicApi.isPublished(folder) && !modules.contains(folder))
                        .toList();
                assertEquals(List.of(), forgotten, "modules that export a package: add them to conformance/pom.xml");
            }
        }
    }

    private static List<String> written(Path list) throws IOException {
        return Files.exists(list)
                ? Files.readAllLines(list).stream()
                        .filter(line -> !line.startsWith("#"))
                        .toList()
                : List.of();
    }

    /** The lines that are in one of the lists, each with its type, because many types have a member of the same form. */
    private static String changes(Path list, List<String> before, List<String> after) {
        List<String> removed = new ArrayList<>(qualified(before));
        removed.removeAll(qualified(after));
        List<String> added = new ArrayList<>(qualified(after));
        added.removeAll(qualified(before));
        StringBuilder changes = new StringBuilder();
        removed.forEach(line -> changes.append(list).append(": - ").append(line).append('\n'));
        added.forEach(line -> changes.append(list).append(": + ").append(line).append('\n'));
        return changes.toString();
    }

    private static List<String> qualified(List<String> lines) {
        List<String> qualified = new ArrayList<>();
        String type = "";
        for (String line : lines) {
            if (line.startsWith("  ")) {
                qualified.add(type + " {" + line);
            } else {
                type = line;
                qualified.add(line);
            }
        }
        return qualified;
    }
}
