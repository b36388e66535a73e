package dev.outbox.tck.internal.report;

import dev.outbox.tck.internal.spec.SpecRule;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a run showed of a store.
 *
 * @param testClass the class that was run
 * @param rules of the contract, in its order
 * @param results of every test of the suite, those that were not run included
 */
public record Report(
        TestedStore subject,
        String testClass,
        Settings settings,
        Instant startedAt,
        Duration time,
        List<SpecRule> rules,
        List<TestResult> results) {
    public Verdict verdict() {
        return Verdict.of(rules, results);
    }

    public List<RuleReport> ruleReports() {
        return rules.stream().map(rule -> RuleReport.of(rule, results)).toList();
    }

    /** How many rules have each status; those that none has are there, too. */
    public Map<Status, Integer> counts() {
        Map<Status, Integer> counts = new TreeMap<>();
        for (Status status : Status.values()) {
            counts.put(status, 0);
        }
        ruleReports().forEach(rule -> counts.merge(rule.status(), 1, Integer::sum));
        return counts;
    }

    /** As in {@code conformant at level 3; 61 rules: 59 pass, 2 refused as declared}. */
    public String summary() {
        if (settings.isPartial()) {
            return partialSummary();
        }
        StringBuilder text = new StringBuilder(verdict().sentence());
        text.append("; ").append(rules.size()).append(" rules");
        String separator = ": ";
        for (Map.Entry<Status, Integer> count : counts().entrySet()) {
            if (count.getValue() > 0) {
                text.append(separator)
                        .append(count.getValue())
                        .append(' ')
                        .append(count.getKey().text());
                separator = ", ";
            }
        }
        return text.append("; seed ").append(settings.drawn().seed()).toString();
    }

    /** Some rules say nothing of the whole. */
    private String partialSummary() {
        List<RuleReport> asked = ruleReports().stream()
                .filter(rule -> settings.asksFor(rule.rule().id()))
                .toList();
        long kept = asked.stream().filter(rule -> rule.status().good()).count();
        return kept + " of " + asked.size() + (asked.size() == 1 ? " rule" : " rules") + " asked for "
                + (kept == 1 ? "is" : "are") + " kept; no verdict; seed "
                + settings.drawn().seed();
    }
}
