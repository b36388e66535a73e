package dev.outbox.store.jooq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.platform.engine.discovery.DiscoverySelectors.selectClass;

import dev.outbox.Store;
import dev.outbox.Stores;
import dev.outbox.tck.StoreHarness;
import dev.outbox.tck.StoreTck;
import dev.outbox.tck.WriteTransaction;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;
import org.junit.platform.launcher.listeners.SummaryGeneratingListener;

/** With an index by the ids of messages the store has the capability FINDING, and keeps its rule on every database. */
class FindingTckTest {
    @Test
    void onH2() {
        assertFinds(H2.class);
    }

    @Test
    @Tag("postgres")
    void onPostgres() {
        assertFinds(Postgres.class);
    }

    @Test
    @Tag("mysql")
    void onMySql() {
        assertFinds(MySql.class);
    }

    @Test
    @Tag("mariadb")
    void onMariaDb() {
        assertFinds(MariaDb.class);
    }

    private static void assertFinds(Class<? extends StoreTck> tck) {
        SummaryGeneratingListener listener = new SummaryGeneratingListener();
        LauncherFactory.create()
                .execute(
                        LauncherDiscoveryRequestBuilder.request()
                                .selectors(selectClass(tck))
                                .configurationParameter(StoreTck.LEVEL, "1")
                                .configurationParameter(StoreTck.RULES, "OBX-FIND-1,OBX-CAP-*,OBX-LIFE-4")
                                .configurationParameter(StoreTck.REPORT, "none")
                                .build(),
                        listener);
        List<String> failed = listener.getSummary().getFailures().stream()
                .map(failure -> failure.getTestIdentifier().getDisplayName() + ": " + failure.getException())
                .toList();
        assertEquals(List.of(), failed, "failures");
        assertTrue(listener.getSummary().getTestsSucceededCount() >= 4, "tests that succeeded");
    }

    /** Run from within, and not found by itself. */
    static class H2 extends StoreTck {
        @Override
        public StoreHarness harness() {
            return new Indexed(new H2Harness());
        }
    }

    /** Run from within, and not found by itself. */
    static class Postgres extends StoreTck {
        @Override
        public StoreHarness harness() {
            return new Indexed(new PostgresHarness());
        }
    }

    /** Run from within, and not found by itself. */
    static class MySql extends StoreTck {
        @Override
        public StoreHarness harness() {
            return new Indexed(new MySqlHarness());
        }
    }

    /** Run from within, and not found by itself. */
    static class MariaDb extends StoreTck {
        @Override
        public StoreHarness harness() {
            return new Indexed(new MariaDbHarness());
        }
    }

    /** Outboxes with the index that the store says it has no FINDING without. */
    private record Indexed(StoreHarness plain) implements StoreHarness {
        @Override
        public String createOutbox() throws Exception {
            String address = plain.createOutbox();
            try (Store store = Stores.open(address);
                    Connection connection = DriverManager.getConnection(address);
                    Statement statement = connection.createStatement()) {
                statement.execute(StoreTest.indexForFinding(store));
            }
            return address;
        }

        @Override
        public Store open(String address) throws Exception {
            return plain.open(address);
        }

        @Override
        public WriteTransaction begin(String address) throws Exception {
            return plain.begin(address);
        }

        @Override
        public Optional<Duration> lease() {
            return plain.lease();
        }

        @Override
        public void dropOutbox(String address) throws Exception {
            plain.dropOutbox(address);
        }
    }
}
