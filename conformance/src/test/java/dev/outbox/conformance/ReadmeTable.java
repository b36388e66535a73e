package dev.outbox.conformance;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * A table of the README, which is made from reports.
 *
 * @param name what it is a table of
 * @param start the line before it, with its end of line
 * @param end the line after it
 * @param head its first two lines
 */
record ReadmeTable(String name, String start, String end, List<String> head) {
    /** Set it to have the tables written, by {@code -Doutbox.readme.write}. */
    private static final String WRITE = "outbox.readme.write";

    private static final Path README = Path.of("..", "README.md");

    /** A row, made from a report. */
    interface Row {
        /** Its first cell. */
        String name();

        /** Why there is nothing to compare it with, because a user asked for less. */
        Optional<String> notTested() throws IOException;

        /** All cells, as the report has them. */
        List<String> cells() throws IOException;
    }

    /** Compares the table with the reports, or writes it. A row that was not tested stays as it is, and is named. */
    void saysWhatTheReportsSay(List<? extends Row> rows) throws IOException {
        String readme = Files.readString(README).replace("\r\n", "\n");
        int from = readme.indexOf(start) + start.length();
        int to = readme.indexOf(end);
        String written = readme.substring(from, to);
        Map<String, String> before =
                written.lines().skip(2).collect(Collectors.toMap(row -> row.split(" \\| ", 2)[0], Function.identity()));
        List<String> shown = new ArrayList<>(head);
        for (Row row : rows) {
            Optional<String> reason = row.notTested();
            reason.ifPresent(
                    why -> System.out.println("The README's row of " + row.name() + " was not compared: " + why));
            shown.add(
                    reason.isPresent()
                            ? before.getOrDefault("| " + row.name(), "")
                            : row.cells().stream().collect(Collectors.joining(" | ", "| ", " |")));
        }
        String table = String.join("\n", shown) + "\n";
        if (System.getProperty(WRITE) != null) {
            Files.writeString(README, readme.substring(0, from) + table + readme.substring(to));
            return;
        }
        assertEquals(
                table,
                written,
                "the table of " + name + " in README.md; mvn verify -D" + WRITE + " writes it as the reports have it");
    }

    /** Says so if a user has switched the tests of a server off. */
    static Optional<String> switchedOff(String server) {
        return Arrays.stream(System.getProperty("outbox.test.without", "").split(",", -1))
                        .anyMatch(
                                without -> !without.isBlank() && without.trim().equals(server))
                ? Optional.of("its tests were switched off")
                : Optional.empty();
    }

    /** Where a module's class of tests leaves its report. */
    static Path fileOf(String module, String tests) {
        return Path.of("..", module, "target", "outbox-tck", tests, "conformance.json");
    }

    static JsonNode report(String module, String tests) throws IOException {
        Path file = fileOf(module, tests);
        if (!Files.exists(file)) {
            throw new AssertionError("There is no " + file.normalize() + ": run mvn verify, with all its modules.");
        }
        return new ObjectMapper().readTree(file.toFile());
    }
}
