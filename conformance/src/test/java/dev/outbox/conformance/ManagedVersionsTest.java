package dev.outbox.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The stores are tested with the libraries that Spring Boot manages, and {@code docs/SPRING.md} says which. */
class ManagedVersionsTest {
    private static final Path ROOT = Path.of("..");
    private static final Pattern PROPERTY = Pattern.compile("<([\\w.-]+\\.version)>([^<$]+)</");
    private static final Pattern ROW = Pattern.compile("\\| `([\\w.-]+\\.version)` \\|(.*)\\|");

    /** Our properties by those of Spring Boot, where they are not called the same. */
    private static final Map<String, String> OURS = Map.of(
            "jackson-2-bom.version", "jackson.version",
            "jackson-bom.version", "jackson3.version",
            "spring-framework.version", "spring.version");

    @ParameterizedTest
    @CsvSource({"3.5,spring-boot3.version,1", "4.0,spring-boot4.version,2", "4.1,spring-boot4.1.version,3"})
    void theyAreThoseOfSpringBoot(String line, String versionOfBoot, int column) throws IOException {
        String pom = Files.readString(ROOT.resolve("pom.xml"));
        int profile = pom.indexOf("<id>boot-" + line + "</id>");
        Map<String, String> common = properties(pom.substring(0, pom.indexOf("<profiles>")));
        Map<String, String> tested = properties(pom.substring(profile, pom.indexOf("</profile>", profile)));
        common.forEach((name, version) -> {
            if (name.equals("jedis-boot-" + line + ".version")) {
                tested.put("jedis.version", version); // OldJedisTest sees that it is refused
            }
        });
        String boot = common.get(versionOfBoot);
        Map<String, String> managed = properties(
                Files.readString(Path.of("target", "spring-boot", "spring-boot-dependencies-" + boot + ".pom")));
        Map<String, String> expected = new TreeMap<>();
        Map<String, String> told = new TreeMap<>();
        for (Map.Entry<String, List<String>> row : table().entrySet()) {
            String version = managed.get(row.getKey());
            if (version != null) {
                boolean hasJackson2Alone = row.getKey().equals("jackson-bom.version") && line.startsWith("3.");
                String ours = hasJackson2Alone ? "jackson.version" : OURS.getOrDefault(row.getKey(), row.getKey());
                expected.put(ours, version);
                told.put(ours, row.getValue().get(column - 1));
            }
        }
        assertEquals(expected, new TreeMap<>(tested), "in the profile of pom.xml");
        assertEquals(expected, told, "in the table");
    }

    @Test
    void theTableSaysWhichJedisIsTooOld() throws IOException {
        String page = Files.readString(ROOT.resolve(Path.of("docs", "SPRING.md")));
        assertEquals(List.of("6.0.0", "7.0.0", "7.4.1"), table(page).get("jedis.version"));
        assertEquals(2, page.split("; too old, set 7\\.5\\.3", -1).length - 1);
    }

    private static Map<String, List<String>> table() throws IOException {
        return table(Files.readString(ROOT.resolve(Path.of("docs", "SPRING.md"))));
    }

    /** The versions of each property; what follows a semicolon is a remark. */
    private static Map<String, List<String>> table(String page) {
        Map<String, List<String>> rows = new LinkedHashMap<>();
        for (Matcher row = ROW.matcher(page); row.find(); ) {
            List<String> cells = new ArrayList<>();
            for (String cell : row.group(2).split("\\|", -1)) {
                cells.add(cell.replaceFirst(";.*", "").strip());
            }
            rows.put(row.group(1), cells);
        }
        return rows;
    }

    private static Map<String, String> properties(String pom) {
        Map<String, String> properties = new TreeMap<>();
        for (Matcher property = PROPERTY.matcher(pom); property.find(); ) {
            properties.put(property.group(1), property.group(2));
        }
        return properties;
    }
}
