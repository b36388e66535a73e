package dev.outbox.store.jooq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import dev.outbox.tck.StoreTck;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;

/** The store keeps the first two levels on MariaDB. The profile "versions" has {@link MariaDbTckTest} run all of them. */
@Tag("mariadb")
class MariaDbLevelsTest {
    @Test
    void theFirstTwoAreKept() {
        SummaryGeneratingListener listener = new SummaryGeneratingListener();
        LauncherFactory.create()
                .execute(
                        LauncherDiscoveryRequestBuilder.request()
                                .selectors(selectClass(MariaDbTckTest.class))
                                .configurationParameter(StoreTck.LEVEL, "2")
                                .configurationParameter(StoreTck.REPORT, "none")
                                .build(),
                        listener);
        List<String> failed = listener.getSummary().getFailures().stream()
                .map(failure -> failure.getTestIdentifier().getDisplayName() + ": " + failure.getException())
                .toList();
        assertEquals(List.of(), failed, "failures");
        assertTrue(listener.getSummary().getTestsSucceededCount() >= 100, "tests that succeeded");
    }
}
