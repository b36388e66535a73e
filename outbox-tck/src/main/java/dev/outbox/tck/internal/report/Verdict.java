package dev.outbox.tck.internal.report;

import dev.outbox.tck.internal.spec.Level;
import dev.outbox.tck.internal.spec.SpecRule;
import java.util.Arrays;
import java.util.Collection;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Up to which level a store is conformant: each binding rule has to have been run, and kept, at that level and at all
 * below.
 *
 * @param level the number of the level, or 0
 * @param levels what is known about each level by itself
 */
public record Verdict(int level, Map<Level, Status> levels) {
    public static Verdict of(Collection<SpecRule> rules, List<TestResult> results) {
        Map<Level, Status> levels = new EnumMap<>(Level.class);
        for (SpecRule rule : rules) {
            if (rule.binding()) {
                RuleReport.of(rule, results)
                        .levels()
                        .forEach((level, status) ->
                                levels.merge(level, status.good() ? Status.PASS : status, Status::and));
            }
        }
        int reached = 0;
        for (Level level : Level.values()) {
            // A level without a test would be reached by doing nothing.
            levels.putIfAbsent(level, Status.NOT_RUN);
            if (reached == level.number() - 1
                    && levels.getOrDefault(level, Status.NOT_RUN).good()) {
                reached = level.number();
            }
        }
        return new Verdict(reached, levels);
    }

    /** The lowest level that was not reached, or null if all were. */
    @Nullable
    public Level next() {
        return Arrays.stream(Level.values())
                .filter(each -> each.number() == level + 1)
                .findFirst()
                .orElse(null);
    }

    public boolean conformant() {
        return level > 0;
    }

    public String sentence() {
        return conformant() ? "Conformant at level " + level : "Not conformant";
    }
}
