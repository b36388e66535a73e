package dev.outbox.tck.internal.report;

import dev.outbox.tck.internal.spec.RuleTest;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What became of a test.
 *
 * @param reason why it was not run, or null
 * @param seen what it saw if it passed, in a line, or null
 * @param witness what it found, maybe of another rule than its own, or null
 */
public record TestResult(
        RuleTest test,
        Status status,
        Duration time,
        @Nullable String reason,
        @Nullable String seen,
        @Nullable Witness witness) {
    /** What it says about a rule; a test that came upon another rule broken has said nothing about its own. */
    public Status about(String rule) {
        if (witness != null) {
            return witness.rule().equals(rule) ? Status.FAIL : Status.NOT_RUN;
        }
        return status;
    }
}
