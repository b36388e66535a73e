package dev.outbox.publisher.tck;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/** What a run of the suite has found. Safe for use by several threads. */
final class Report {
    /** Goes up when readers of the last one would no longer understand it. */
    private static final int FORMAT = 1;

    private static final Path FOLDER = Path.of("target", "outbox-tck");
    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);
    private static final Result NOT_RUN = new Result("not run", "nobody ran it", Duration.ZERO);

    private final Class<?> testClass;
    private final PublisherHarness harness;
    private final Instant startedAt = Instant.now();
    private final long start = System.nanoTime();
    private final Map<String, Result> results = new ConcurrentHashMap<>();

    Report(Class<?> testClass, PublisherHarness harness) {
        this.testClass = testClass;
        this.harness = harness;
    }

    private record Result(String status, @Nullable String reason, Duration time) {}

    void note(PublisherRule rule, String status, @Nullable String reason, Duration time) {
        results.put(rule.id(), new Result(status, reason, time));
    }

    /** How many rules have which status, as in {@code {pass=16, not run=1}}. */
    Map<String, Integer> counts() {
        Map<String, Integer> counts = new TreeMap<>();
        PublisherRule.ALL.keySet().forEach(id -> counts.merge(result(id).status(), 1, Integer::sum));
        return counts;
    }

    private Result result(String rule) {
        return results.getOrDefault(rule, NOT_RUN);
    }

    /** Writes {@code target/outbox-tck/CLASS/conformance.json}, as the TCK of stores does. */
    void write() throws IOException {
        Path folder = Files.createDirectories(FOLDER.resolve(testClass.getName()));
        Files.writeString(folder.resolve("conformance.json"), JSON.writeValueAsString(json()) + "\n");
    }

    private Map<String, Object> json() {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("format", FORMAT);
        json.put(
                "publisher",
                Map.of(
                        "harness", harness.getClass().getName(),
                        "inFlight", harness.inFlight(),
                        "faultsNotCaused", new TreeMap<>(harness.without())));
        json.put("specification", Map.of("version", PublisherRule.version()));
        json.put(
                "run",
                Map.of(
                        "testClass", testClass.getName(),
                        "startedAt", startedAt.truncatedTo(ChronoUnit.SECONDS).toString(),
                        "seconds", seconds(Duration.ofNanos(System.nanoTime() - start)),
                        "java", System.getProperty("java.version"),
                        "os", System.getProperty("os.name") + " " + System.getProperty("os.arch")));
        json.put("verdict", Map.of("rules", counts()));
        json.put("rules", PublisherRule.ALL.values().stream().map(this::json).toList());
        return json;
    }

    private Map<String, @Nullable Object> json(PublisherRule rule) {
        Result result = result(rule.id());
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        json.put("id", rule.id());
        json.put("sentence", rule.sentence());
        json.put("status", result.status());
        json.put("seconds", seconds(result.time()));
        json.put("reason", result.reason());
        return json;
    }

    private static double seconds(Duration time) {
        return time.toMillis() / 1_000.0;
    }
}
