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
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** The table of backends in the README says what their reports say. */
class BackendTableTest {
    /** Set it to have the table written, by {@code -Doutbox.readme.write}. */
    private static final String WRITE = "outbox.readme.write";

    private static final Path README = Path.of("..", "README.md");
    private static final String START =
            "<!-- This table is made from the stores' conformance.json; see CONTRIBUTING.md. -->\n";
    private static final String END = "<!-- End of the table. -->\n";
    private static final String JOOQ = "outbox-store-jooq";

    /**
     * A row.
     *
     * @param tests the class whose report is quoted, in the package of the module's tests
     * @param server what the tests can be switched off by, or nothing
     */
    private record Backend(String name, String module, String held, String tests, String server) {}

    private static final List<Backend> BACKENDS = List.of(
            new Backend(
                    "PostgreSQL",
                    JOOQ,
                    "advisory lock of an open transaction",
                    "dev.outbox.store.jooq.PostgresTckTest",
                    "postgres"),
            new Backend(
                    "MySQL 8.0.13+",
                    JOOQ,
                    "row lock of an open transaction",
                    "dev.outbox.store.jooq.MySqlTckTest",
                    "mysql"),
            new Backend(
                    "MariaDB 10.6+",
                    JOOQ,
                    "row lock of an open transaction",
                    "dev.outbox.store.jooq.MariaDbTckTest",
                    "mariadb"),
            new Backend("H2", JOOQ, "row lock of an open transaction", "dev.outbox.store.jooq.H2TckTest", ""));

    @Test
    void theReadmeSaysWhatTheReportsSay() throws IOException {
        String readme = Files.readString(README);
        int start = readme.indexOf(START) + START.length();
        int end = readme.indexOf(END);
        List<String> written = readme.substring(start, end).lines().toList();
        List<String> shown = new ArrayList<>(List.of(
                "| backend | artifact | how a partition is held | conformant at | rules kept |",
                "|---|---|---|---|---|"));
        for (int i = 0; i < BACKENDS.size(); i++) {
            // What was not tested cannot be compared; the end of the build says that it was not.
            shown.add(isSwitchedOff(BACKENDS.get(i)) ? written.get(i + 2) : row(BACKENDS.get(i)));
        }
        String table = String.join("\n", shown) + "\n";
        if (System.getProperty(WRITE) != null) {
            Files.writeString(README, readme.substring(0, start) + table + readme.substring(end));
            return;
        }
        assertEquals(
                table,
                readme.substring(start, end),
                "the table of backends in README.md; mvn verify -D" + WRITE + " writes it as the reports have it");
    }

    private static String row(Backend backend) throws IOException {
        Path report = Path.of("..", backend.module(), "target", "outbox-tck", backend.tests(), "conformance.json");
        if (!Files.exists(report)) {
            throw new AssertionError("There is no " + report.normalize() + ": run mvn verify, with all its modules.");
        }
        JsonNode verdict = new ObjectMapper().readTree(report.toFile()).get("verdict");
        int all = 0;
        for (JsonNode count : verdict.get("rules")) {
            all += count.asInt();
        }
        int refused = verdict.at("/rules/refused as declared").asInt();
        return List.of(
                        backend.name(),
                        "`" + backend.module() + "`",
                        backend.held(),
                        "level " + verdict.get("level").asInt(),
                        verdict.at("/rules/pass").asInt() + " of " + all
                                + (refused == 0 ? "" : ", " + refused + " refused as declared"))
                .stream()
                .collect(Collectors.joining(" | ", "| ", " |"));
    }

    private static boolean isSwitchedOff(Backend backend) {
        return Arrays.stream(System.getProperty("outbox.test.without", "").split(",", -1))
                .anyMatch(server -> !server.isBlank() && server.trim().equals(backend.server()));
    }
}
