package dev.outbox.store.jooq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import dev.outbox.tck.StoreHarness;
import dev.outbox.tck.StoreTck;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;

/**
 * With both of its options the store keeps the contract, wake-ups included, but for the half of one rule that strict order is
 * to give up: an open transaction does hinder the messages of other partitions (OBX-TX-2). What happens to it at levels 3 and
 * 4 has nothing to do with the options.
 */
@Tag("postgres")
@Tag("versions")
class PostgresOptionsTckTest {
    private static final Pattern MISSED =
            Pattern.compile(" is missing| is left, although| got no place| was passed over | did not come within ");

    /** Run from within, and not found by itself. */
    static class Tck extends StoreTck {
        @Override
        public StoreHarness harness() {
            return new PostgresOptionsHarness();
        }
    }

    private static boolean isHinderedByAnOpenTransaction(String failed) {
        return failed.startsWith("anOpenTransactionIsNotSeenAndHindersNobody(TestOutbox): OBX-TX-2");
    }

    /**
     * Random sequences may leave a transaction open. What is written after its first message waits for its end, and so is
     * missed, by whatever rule it is expected; nothing else may be wrong.
     */
    private static boolean isMissed(String failed) {
        return failed.startsWith("randomSequencesAreAnsweredAsTheContractSays(TestOutbox): ")
                && MISSED.matcher(failed).find();
    }

    @Test
    void oneRuleAloneIsGivenUp() {
        SummaryGeneratingListener listener = new SummaryGeneratingListener();
        LauncherFactory.create()
                .execute(
                        LauncherDiscoveryRequestBuilder.request()
                                .selectors(selectClass(Tck.class))
                                .configurationParameter(StoreTck.LEVEL, "2")
                                .build(),
                        listener);
        TestExecutionSummary summary = listener.getSummary();
        List<String> failed = summary.getFailures().stream()
                .map(failure -> failure.getTestIdentifier().getDisplayName() + ": "
                        + failure.getException().getMessage())
                .toList();
        assertTrue(
                failed.stream().anyMatch(PostgresOptionsTckTest::isHinderedByAnOpenTransaction), "failures: " + failed);
        assertTrue(
                failed.stream().allMatch(test -> isHinderedByAnOpenTransaction(test) || isMissed(test)),
                "failures: " + failed);
        assertEquals(0, summary.getTestsAbortedCount(), "tests that were given up");
        assertTrue(summary.getTestsSucceededCount() > 80, summary.getTestsSucceededCount() + " tests that succeeded");
    }
}
