package dev.outbox.examples.shop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.processes.Await;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The files that {@code docs/SPRING.md} has its readers make are those of this example. */
class GuideTest {
    private static final Path GUIDE = Path.of("..", "..", "docs", "SPRING.md");
    private static final Pattern FILE =
            Pattern.compile("^<!-- file: (\\S+) -->\n```\\w+\n(.*?\n)```$", Pattern.MULTILINE | Pattern.DOTALL);

    @Test
    void theFilesOfTheGuideAreThoseOfTheExample() throws IOException {
        Map<String, String> written = files();
        assertTrue(written.remove("pom.xml") != null, "the guide has a pom.xml");
        Map<String, String> built = new TreeMap<>();
        try (Stream<Path> files = Files.walk(Path.of("src", "main"))) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                if (file.startsWith(Path.of("src", "main", "java", "com")) || file.endsWith("application.yaml")) {
                    built.put(file.toString().replace('\\', '/'), Files.readString(file));
                }
            }
        }
        assertEquals(built, written);
    }

    @Test
    @Tag("versions")
    void theCommandsOfTheGuideBuildAndRunAShop() throws Exception {
        Path jar = GuideProject.make(files()).build();
        KilledShop.withServers((database, kafka) -> {
            Function<List<String>, ProcessBuilder> command = arguments -> {
                List<String> all = new ArrayList<>(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-jar", jar.toString()));
                all.addAll(arguments);
                return new ProcessBuilder(all);
            };
            try (ShopProcess shop = ShopProcess.start(command, database, kafka, Path.of("target"))) {
                assertTrue(shop.order("SO-1", "C-1"));
                Await.until(
                        "the order is billed",
                        () -> KilledShop.numbers(database, "select number from bill")
                                .equals(List.of("SO-1")));
                assertTrue(shop.stop());
            }
            return true;
        });
    }

    private static Map<String, String> files() throws IOException {
        Map<String, String> files = new TreeMap<>();
        FILE.matcher(Files.readString(GUIDE).replace("\r\n", "\n"))
                .results()
                .forEach(file -> files.put(file.group(1), file.group(2)));
        return files;
    }
}
