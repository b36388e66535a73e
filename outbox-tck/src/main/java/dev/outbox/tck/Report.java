package dev.outbox.tck;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
record Report(
        Subject subject,
        String testClass,
        Settings settings,
        Instant startedAt,
        Duration time,
        List<Spec> rules,
        List<TestResult> results) {
    static final String JSON = "conformance.json";
    static final String HTML = "conformance.html";

    Verdict verdict() {
        return Verdict.of(rules, results);
    }

    List<RuleReport> ruleReports() {
        return rules.stream().map(rule -> RuleReport.of(rule, results)).toList();
    }

    /** How many rules have each status; those that none has are there, too. */
    Map<Status, Integer> counts() {
        Map<Status, Integer> counts = new TreeMap<>();
        for (Status status : Status.values()) {
            counts.put(status, 0);
        }
        ruleReports().forEach(rule -> counts.merge(rule.status(), 1, Integer::sum));
        return counts;
    }

    /** As in {@code conformant at level 3; 61 rules: 59 pass, 2 refused as declared}. */
    String summary() {
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

    /** Writes both forms of the report into a folder, which is made if need be. */
    void write(Path folder) {
        try {
            Files.createDirectories(folder);
            Files.writeString(folder.resolve(JSON), JsonReport.of(this));
            Files.writeString(folder.resolve(HTML), HtmlReport.of(this));
        } catch (IOException e) {
            throw new IllegalStateException(
                    "The report could not be written to " + folder.toAbsolutePath() + ": " + e + ". Name a folder"
                            + " that can be written by -D" + StoreTck.REPORT + "=…, or 'none'.",
                    e);
        }
    }
}
