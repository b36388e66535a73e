package dev.outbox.tck;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectMethod;

import dev.outbox.tck.memory.MemoryHarness;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.reporting.ReportEntry;
import org.junit.platform.testkit.engine.EngineExecutionResults;
import org.junit.platform.testkit.engine.EngineTestKit;
import org.junit.platform.testkit.engine.Event;

/** A test of the suite passes only if it saw something, and then says how much. */
class TckExtensionTest {
    @Test
    void aTestThatDidNothingFails() {
        List<Event> failed = run(Idle.class, "aCommittedMessageIsDelivered")
                .testEvents()
                .failed()
                .list();
        assertEquals(1, failed.size(), "failures of a test that does nothing");
        String message = failed.get(0)
                .getRequiredPayload(TestExecutionResult.class)
                .getThrowable()
                .map(Throwable::getMessage)
                .orElse("");
        assertTrue(message.contains("proves nothing"), message);
    }

    @Test
    void aTestThatPassedSaysWhatItSawAndWithWhichSeed() {
        String seen = seen("aCommittedMessageIsDelivered");
        assertTrue(seen.matches("kept in \\d+ operations, .* 1 messages .*; seed 42"), seen);
        String workload = seen("underContentionNobodySharesAMessage");
        assertTrue(workload.matches("no violation in \\d{3,} operations: .*; seed 42"), workload);
    }

    @Test
    void aHarnessWithANetworkIsTestedWithIt() {
        Event failed = run(WithoutNetwork.class, "aCommittedMessageIsDelivered")
                .testEvents()
                .failed()
                .list()
                .get(0);
        String message = failed.getRequiredPayload(TestExecutionResult.class)
                .getThrowable()
                .map(Throwable::getMessage)
                .orElse("");
        assertTrue(message.contains("extend NetworkTck"), message);
    }

    private static String seen(String test) {
        return run(Kept.class, test).testEvents().reportingEntryPublished().stream()
                .map(event -> event.getRequiredPayload(ReportEntry.class))
                .map(entry -> entry.getKeyValuePairs().get("seen"))
                .findFirst()
                .orElse("nothing");
    }

    private static EngineExecutionResults run(Class<?> type, String test) {
        return EngineTestKit.engine("junit-jupiter")
                .configurationParameter(StoreTck.REPORT, "none")
                .configurationParameter(StoreTck.SEED, "42")
                .selectors(selectMethod(type, test, "dev.outbox.tck.TestOutbox"))
                .execute();
    }

    static class Kept extends NetworkTck {
        @Override
        public NetworkHarness harness() {
            return new MemoryHarness();
        }
    }

    static class WithoutNetwork extends StoreTck {
        @Override
        public StoreHarness harness() {
            return new MemoryHarness();
        }
    }

    /** Replaces a test by one that does nothing. */
    static class Idle extends Kept {
        @Override
        @Rule("OBX-TX-1")
        public void aCommittedMessageIsDelivered(TestOutbox outbox) {}
    }
}
