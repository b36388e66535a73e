package dev.outbox.tck;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.tck.internal.report.RuleReport;
import dev.outbox.tck.internal.report.Status;
import dev.outbox.tck.internal.report.TestResult;
import dev.outbox.tck.internal.report.Verdict;
import dev.outbox.tck.internal.report.Witness;
import dev.outbox.tck.internal.spec.Level;
import dev.outbox.tck.internal.spec.RuleTest;
import dev.outbox.tck.internal.spec.SpecRule;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.opentest4j.TestAbortedException;

/** Only what was run and kept counts. */
class VerdictTest {
    private static final Collection<SpecRule> RULES = SpecRule.parse("""

                    ## Part

                    ### OBX-A-1 (MUST)
                    One.

                    *Intent.* Intent.

                    *If this fails, check* this.

                    ### OBX-B-1 (MUST, provisional since 1.1)
                    Two.

                    *Intent.* Intent.

                    *If this fails, check* that.

                    ### OBX-C-1 (SHOULD)
                    [OPERATIONS] Three.

                    *Intent.* Intent.

                    *If this fails, check* those.
                    """).values();

    @Test
    void everyLevelBelowHasToBeReached() {
        assertEquals(0, level(a(Level.CRASH, Status.PASS)));
        assertEquals(1, level(a(Level.CONTRACT, Status.PASS)));
        assertEquals(1, level(a(Level.CONTRACT, Status.PASS), a(Level.CRASH, Status.PASS)));
        assertEquals(2, level(a(Level.CONTRACT, Status.REFUSED), a(Level.CONCURRENCY, Status.PASS)));
        assertEquals(
                1,
                level(a(Level.CONTRACT, Status.PASS), a(Level.CONCURRENCY, Status.FAIL), a(Level.CRASH, Status.PASS)));
    }

    @Test
    void nothingIsReachedByDoingNothing() {
        assertEquals(0, level());
        assertEquals(0, level(a(Level.CONTRACT, Status.NOT_RUN)));
        assertEquals(0, level(a(Level.CONTRACT, Status.OVERRIDDEN)));
        assertEquals(0, level(a(Level.CONTRACT, Status.PASS), a(Level.CONTRACT, Status.NOT_RUN)));
    }

    @Test
    void rulesThatDoNotBindDoNotCount() {
        assertEquals(
                1, level(a(Level.CONTRACT, Status.PASS), result("OBX-B-1", Level.CONTRACT, Status.FAIL, "OBX-B-1")));
        assertEquals(
                1, level(a(Level.CONTRACT, Status.PASS), result("OBX-C-1", Level.CONTRACT, Status.FAIL, "OBX-C-1")));
        assertEquals(1, level(a(Level.CONTRACT, Status.PASS), result("OBX-B-1", Level.CONTRACT, Status.NOT_RUN, null)));
    }

    @Test
    void aRuleIsBrokenByWhoeverSeesIt() {
        assertEquals(
                0, level(a(Level.CONTRACT, Status.PASS), result("OBX-C-1", Level.CONTRACT, Status.FAIL, "OBX-A-1")));
        assertEquals(0, level(result("OBX-A-1", Level.CONTRACT, Status.FAIL, "OBX-C-1")), "the rule was not shown");
        RuleReport seen = RuleReport.of(
                SpecRule.of("OBX-TX-1"), List.of(result("OBX-EXCL-1", Level.CONCURRENCY, Status.FAIL, "OBX-TX-1")));
        assertEquals(Status.FAIL, seen.status());
    }

    @Test
    void aRuleThatWasRunInPartsIsNotShown() {
        assertEquals(Status.NOT_RUN, status(a(Level.CONTRACT, Status.NOT_RUN)));
        assertEquals(Status.PASS, status(a(Level.CONTRACT, Status.PASS), a(Level.CRASH, Status.NOT_RUN)));
        RuleReport parts = RuleReport.of(
                RULES.iterator().next(), List.of(a(Level.CONTRACT, Status.PASS), a(Level.CONTRACT, Status.NOT_RUN)));
        assertEquals(Status.NOT_RUN, parts.status());
        assertEquals(Status.NOT_RUN, parts.levels().get(Level.CONTRACT));
    }

    @Test
    void aProvisionalRuleFailsNoBuild() {
        SpecRule binding = RULES.iterator().next();
        SpecRule provisional = RULES.stream()
                .filter(rule -> rule.provisional() != null)
                .findFirst()
                .orElseThrow();
        assertInstanceOf(AssertionError.class, TckExtension.failure(binding, "seen", "history", new Exception()));
        Throwable given = TckExtension.failure(provisional, "seen", "history", new Exception());
        assertInstanceOf(TestAbortedException.class, given);
        String said = String.valueOf(given.getMessage());
        assertTrue(said.contains("OBX-B-1 is broken: Two."), said);
        assertTrue(said.contains("new in version 1.1"), said);
    }

    private static int level(TestResult... results) {
        return Verdict.of(RULES, List.of(results)).level();
    }

    private static Status status(TestResult... results) {
        return RuleReport.of(RULES.iterator().next(), List.of(results)).status();
    }

    private static TestResult a(Level level, Status status) {
        return result("OBX-A-1", level, status, status == Status.FAIL ? "OBX-A-1" : null);
    }

    private static TestResult result(String rule, Level level, Status status, @Nullable String broken) {
        return new TestResult(
                new RuleTest("test", rule, level),
                status,
                Duration.ZERO,
                null,
                null,
                broken == null ? null : new Witness(broken, "seen", List.of()));
    }
}
