package dev.outbox.tck.internal.report;

import dev.outbox.tck.internal.spec.Level;
import dev.outbox.tck.internal.spec.SpecRule;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/**
 * What is known about a rule.
 *
 * @param levels what is known at each level at which it has tests
 * @param results of its tests, and of others that found it broken
 */
public record RuleReport(SpecRule rule, Map<Level, Status> levels, List<TestResult> results) {
    public static RuleReport of(SpecRule rule, List<TestResult> all) {
        List<TestResult> results = all.stream()
                .filter(r -> r.test().rule().equals(rule.id()) || r.about(rule.id()) == Status.FAIL)
                .toList();
        Map<Level, Status> levels = new EnumMap<>(Level.class);
        for (TestResult result : results) {
            levels.merge(result.test().level(), result.about(rule.id()), Status::and);
        }
        return new RuleReport(rule, levels, results);
    }

    /**
     * The rule as a whole: a level that was left out says nothing against what another showed, but one that was run in
     * parts does.
     */
    public Status status() {
        return levels.entrySet().stream()
                .filter(level -> level.getValue() != Status.NOT_RUN || partlyRun(level.getKey()))
                .map(Map.Entry::getValue)
                .reduce(Status::and)
                .orElse(Status.NOT_RUN);
    }

    private boolean partlyRun(Level level) {
        return results.stream().anyMatch(r -> r.test().level() == level && r.about(rule.id()) != Status.NOT_RUN);
    }
}
