package dev.outbox.tck.internal.report;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import dev.outbox.Capability;
import dev.outbox.tck.internal.spec.Level;
import dev.outbox.tck.internal.spec.SpecRule;
import dev.outbox.tck.internal.spec.TckVersion;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The report for machines, as {@code conformance.schema.json} describes it. */
final class JsonReport {
    /** Goes up when readers of the last one would no longer understand it. */
    private static final int FORMAT = 1;

    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    private JsonReport() {}

    static String of(Report report) {
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        json.put("format", FORMAT);
        json.put("store", store(report.subject()));
        json.put("specification", Map.of("version", SpecRule.version()));
        json.put("tck", Map.of("version", TckVersion.get()));
        json.put("run", run(report));
        json.put("verdict", verdict(report));
        json.put("rules", report.ruleReports().stream().map(JsonReport::rule).toList());
        try {
            return JSON.writeValueAsString(json) + "\n";
        } catch (JsonProcessingException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static Map<String, @Nullable Object> store(TestedStore subject) {
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        json.put("name", subject.store());
        json.put("harness", subject.harness());
        json.put("backend", subject.backend());
        Map<String, @Nullable Object> without = new LinkedHashMap<>();
        for (Capability capability : Capability.values()) {
            String reason = subject.capabilities().reasonWithout(capability);
            if (reason != null) {
                without.put(capability.name(), reason);
            }
        }
        json.put("without", without);
        return json;
    }

    private static Map<String, @Nullable Object> run(Report report) {
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        json.put("testClass", report.testClass());
        json.put("startedAt", report.startedAt().truncatedTo(ChronoUnit.SECONDS).toString());
        json.put("seconds", seconds(report.time()));
        json.put("seed", report.settings().drawn().seed());
        json.put("askedLevel", report.settings().level().number());
        json.put("askedRules", report.settings().rules());
        json.put("java", System.getProperty("java.version"));
        json.put("os", System.getProperty("os.name") + " " + System.getProperty("os.arch"));
        return json;
    }

    private static Map<String, @Nullable Object> verdict(Report report) {
        Verdict verdict = report.verdict();
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        json.put("conformant", verdict.conformant());
        json.put("level", verdict.level());
        json.put("sentence", verdict.sentence());
        Map<String, @Nullable Object> counts = new LinkedHashMap<>();
        report.counts().forEach((status, count) -> counts.put(status.text(), count));
        json.put("rules", counts);
        json.put("levels", levels(verdict.levels()));
        return json;
    }

    private static Map<String, @Nullable Object> levels(Map<Level, Status> levels) {
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        levels.forEach((level, status) -> json.put(Integer.toString(level.number()), status.text()));
        return json;
    }

    private static Map<String, @Nullable Object> rule(RuleReport report) {
        SpecRule rule = report.rule();
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        json.put("id", rule.id());
        json.put("sentence", rule.sentence());
        json.put("must", rule.must());
        json.put("provisionalSince", rule.provisional());
        json.put(
                "capability",
                rule.capability() == null ? null : rule.capability().name());
        json.put("status", report.status().text());
        json.put("levels", levels(report.levels()));
        json.put(
                "tests",
                report.results().stream().map(result -> test(result, rule)).toList());
        return json;
    }

    private static Map<String, @Nullable Object> test(TestResult result, SpecRule rule) {
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        json.put("name", result.test().name());
        json.put("level", result.test().level().number());
        json.put("status", result.about(rule.id()).text());
        json.put("seconds", seconds(result.time()));
        json.put("reason", reason(result, rule));
        json.put("seen", result.seen());
        json.put("witness", witness(result, rule));
        return json;
    }

    /** Why a test says nothing about a rule, or null if it does. */
    static @Nullable String reason(TestResult result, SpecRule rule) {
        Witness witness = result.witness();
        return witness != null && !witness.rule().equals(rule.id())
                ? "it came upon " + witness.rule() + " broken"
                : result.reason();
    }

    private static @Nullable Map<String, @Nullable Object> witness(TestResult result, SpecRule rule) {
        Witness witness = result.witness();
        if (witness == null || !witness.rule().equals(rule.id())) {
            return null;
        }
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        json.put("observed", witness.observed());
        json.put("history", List.copyOf(witness.history()));
        return json;
    }

    private static double seconds(Duration time) {
        return time.toMillis() / 1_000.0;
    }
}
