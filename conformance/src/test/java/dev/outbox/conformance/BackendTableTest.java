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
import java.util.Set;
import java.util.function.Function;
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
    private static final String ROW_LOCK = "row lock of an open transaction";
    private static final String LEASE = "lease, renewed and fenced";
    private static final String CLUSTER = "Redis 6.2+, Cluster";
    private static final int HIGHEST_LEVEL = 6;

    /** Only the profile "versions" has the whole suite run on these. */
    private static final Set<String> IN_VERSIONS = Set.of(CLUSTER);

    /**
     * A row.
     *
     * @param tests the class whose report is quoted, in the package of the module's tests
     * @param server what the tests are switched off by, or nothing
     */
    private record Backend(String name, String module, String held, String tests, String server) {}

    private static final List<Backend> BACKENDS = List.of(
            new Backend(
                    "PostgreSQL",
                    JOOQ,
                    "advisory lock of an open transaction",
                    "dev.outbox.store.jooq.PostgresTckTest",
                    "postgres"),
            new Backend("MySQL 8.0.20+", JOOQ, ROW_LOCK, "dev.outbox.store.jooq.MySqlTckTest", "mysql"),
            new Backend("MariaDB 10.6+", JOOQ, ROW_LOCK, "dev.outbox.store.jooq.MariaDbTckTest", "mariadb"),
            new Backend("H2", JOOQ, ROW_LOCK, "dev.outbox.store.jooq.H2TckTest", ""),
            new Backend(
                    "Redis 6.2+, one server",
                    "outbox-store-redis",
                    LEASE,
                    "dev.outbox.store.redis.RedisTckTest",
                    "redis"),
            new Backend(CLUSTER, "outbox-store-redis", LEASE, "dev.outbox.store.redis.RedisClusterTckTest", "redis"),
            new Backend(
                    "MongoDB 5.0+, replica set",
                    "outbox-store-mongo",
                    LEASE,
                    "dev.outbox.store.mongo.MongoTckTest",
                    "mongo"));

    @Test
    void theReadmeSaysWhatTheReportsSay() throws IOException {
        String readme = Files.readString(README).replace("\r\n", "\n");
        int start = readme.indexOf(START) + START.length();
        int end = readme.indexOf(END);
        String written = readme.substring(start, end);
        Map<String, String> rows =
                written.lines().skip(2).collect(Collectors.toMap(row -> row.split(" \\| ", 2)[0], Function.identity()));
        List<String> shown = new ArrayList<>(List.of(
                "| backend | artifact | how a partition is held | conformant at | rules kept |",
                "|---|---|---|---|---|"));
        for (Backend backend : BACKENDS) {
            Optional<String> reason = notTested(backend);
            // What was not tested cannot be compared, and is said.
            reason.ifPresent(
                    why -> System.out.println("The README's row of " + backend.name() + " was not compared: " + why));
            shown.add(reason.isPresent() ? rows.getOrDefault("| " + backend.name(), "") : row(backend));
        }
        String table = String.join("\n", shown) + "\n";
        if (System.getProperty(WRITE) != null) {
            Files.writeString(README, readme.substring(0, start) + table + readme.substring(end));
            return;
        }
        assertEquals(
                table,
                written,
                "the table of backends in README.md; mvn verify -D" + WRITE + " writes it as the reports have it");
    }

    private static String row(Backend backend) throws IOException {
        JsonNode verdict = report(backend).get("verdict");
        int all = 0;
        for (JsonNode count : verdict.get("rules")) {
            all += count.asInt();
        }
        int refused = verdict.at("/rules/refused as declared").asInt();
        int notRun = verdict.at("/rules/not run").asInt();
        return List.of(
                        backend.name(),
                        "`" + backend.module() + "`",
                        backend.held(),
                        "level " + verdict.get("level").asInt(),
                        verdict.at("/rules/pass").asInt() + " of " + all
                                + (refused == 0 ? "" : ", " + refused + " refused as declared")
                                + (notRun == 0 ? "" : ", " + notRun + " not run"))
                .stream()
                .collect(Collectors.joining(" | ", "| ", " |"));
    }

    private static Path reportOf(Backend backend) {
        return Path.of("..", backend.module(), "target", "outbox-tck", backend.tests(), "conformance.json");
    }

    private static JsonNode report(Backend backend) throws IOException {
        Path report = reportOf(backend);
        if (!Files.exists(report)) {
            throw new AssertionError("There is no " + report.normalize() + ": run mvn verify, with all its modules.");
        }
        return new ObjectMapper().readTree(report.toFile());
    }

    /** Why there is nothing to compare a row with, because somebody asked for less. */
    private static Optional<String> notTested(Backend backend) throws IOException {
        if (Arrays.stream(System.getProperty("outbox.test.without", "").split(",", -1))
                .anyMatch(server -> !server.isBlank() && server.trim().equals(backend.server()))) {
            return Optional.of("its tests were switched off");
        }
        if (IN_VERSIONS.contains(backend.name()) && !Files.exists(reportOf(backend))) {
            return Optional.of("mvn verify -Pversions tests it");
        }
        JsonNode run = report(backend).get("run");
        return run.get("askedLevel").asInt() < HIGHEST_LEVEL
                        || !run.get("askedRules").toString().equals("[\"*\"]")
                ? Optional.of("its tests were asked for level " + run.get("askedLevel") + " and rules "
                        + run.get("askedRules"))
                : Optional.empty();
    }
}
