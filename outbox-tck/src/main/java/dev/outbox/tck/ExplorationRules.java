package dev.outbox.tck;

import dev.outbox.tck.internal.explore.Exploration;
import dev.outbox.tck.internal.record.RuleViolation;
import dev.outbox.tck.internal.spec.Level;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Timeout;

/** Sequences of operations that nobody thought of. */
@AtLevel(Level.CONCURRENCY)
interface ExplorationRules {
    /** How long a shorter sequence is looked for. */
    Duration SHRINKING = Duration.ofMinutes(1);

    /** What it finds may break any rule, and is told as what breaks that rule. */
    @Timeout(value = 1_000, unit = TimeUnit.DAYS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    @Rule("OBX-TX-3")
    default void randomSequencesAreAnsweredAsTheContractSays(TestOutbox outbox) {
        Exploration exploration = new Exploration(
                new HarnessTarget(outbox.harness()),
                outbox.harness().lease().orElse(Duration.ZERO),
                outbox.drawn().seed(),
                outbox.drawn().time(),
                outbox.drawn().steps(),
                SHRINKING,
                TestOutbox.patience());
        Exploration.Outcome outcome = exploration.run();
        Exploration.Finding finding = outcome.finding();
        if (finding != null) {
            throw RuleViolation.surely(finding.rule(), finding.text());
        }
        outbox.saw((int) Math.min(Integer.MAX_VALUE, outcome.compared()), outcome.summary());
    }
}
