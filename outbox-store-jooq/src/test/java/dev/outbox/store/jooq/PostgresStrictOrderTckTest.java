package dev.outbox.store.jooq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import dev.outbox.tck.StoreHarness;
import dev.outbox.tck.StoreTck;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;
import org.junit.platform.launcher.listeners.TestExecutionSummary;

/**
 * Under strict order the store keeps the contract, but for the half of one rule that strict order is to give up: an open
 * transaction does hinder the messages of other partitions (OBX-TX-2).
 */
@Tag("postgres")
class PostgresStrictOrderTckTest {
    /** Run from within, and not found by itself. */
    static class Tck extends StoreTck {
        @Override
        public StoreHarness harness() {
            return new PostgresStrictOrderHarness();
        }
    }

    @Test
    void oneRuleAloneIsGivenUp() {
        SummaryGeneratingListener listener = new SummaryGeneratingListener();
        LauncherFactory.create()
                .execute(
                        LauncherDiscoveryRequestBuilder.request()
                                .selectors(selectClass(Tck.class))
                                .build(),
                        listener);
        TestExecutionSummary summary = listener.getSummary();
        List<String> failed = summary.getFailures().stream()
                .map(failure -> failure.getTestIdentifier().getDisplayName() + ": "
                        + String.valueOf(failure.getException().getMessage())
                                .lines()
                                .findFirst()
                                .orElse(""))
                .toList();
        assertEquals(1, failed.size(), "failures: " + failed);
        assertTrue(failed.get(0).startsWith("anOpenTransactionIsNotSeenAndHindersNobody"), failed.get(0));
        assertTrue(failed.get(0).contains("OBX-TX-2"), failed.get(0));
        assertTrue(summary.getTestsFoundCount() > 90, summary.getTestsFoundCount() + " tests");
        assertEquals(summary.getTestsFoundCount(), summary.getTestsSucceededCount() + 1, "tests that succeeded");
    }
}
