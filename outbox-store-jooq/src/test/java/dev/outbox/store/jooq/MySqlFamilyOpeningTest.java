package dev.outbox.store.jooq;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.Operations;
import dev.outbox.Store;
import dev.outbox.StoreException;
import dev.outbox.Stores;
import dev.outbox.store.jooq.internal.dialect.MySqlSession;
import dev.outbox.store.support.Surroundings;
import dev.outbox.tck.StoreHarness;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is refused on MySQL and MariaDB. */
abstract class MySqlFamilyOpeningTest extends OpeningTest {
    MySqlFamilyOpeningTest(StoreHarness harness) {
        super(harness);
    }

    /** It takes no changes in READ COMMITTED, as the relay would find out after publishing. */
    @Test
    void aServerThatLogsStatementsIsRefused() throws Exception {
        String text = refusal(address + "&sessionVariables=binlog_format=STATEMENT");
        assertTrue(text.contains("set binlog_format to ROW or MIXED"), text);
        assertOpens();
    }

    @Test
    void aTableWithoutTransactionsIsRefused() throws Exception {
        execute("ALTER TABLE outbox_partition ENGINE = MyISAM");
        String text = refusal(address);
        assertTrue(text.contains("the table outbox_partition is of the engine MyISAM"), text);
        execute(text.substring(text.indexOf("ALTER TABLE"), text.length() - 1));
        assertOpens();
    }

    /** Its rows would be gone or stay, whatever becomes of the transaction that wrote them. */
    @ParameterizedTest
    @ValueSource(strings = {"outbox_message", "outbox_partition", "outbox_dead_letter"})
    void aTableThatLosesItsTransactionsUnderAnOpenStoreIsSaid(String table) throws Exception {
        Duration before = Surroundings.every;
        Surroundings.every = Duration.ZERO;
        try (Store store = Stores.open(address)) {
            store.checkout(Set.of("t"), 10).close();
            execute("ALTER TABLE " + table + " ENGINE = MyISAM");
            for (Executable asked : List.<Executable>of(
                    () -> store.checkout(Set.of("t"), 10),
                    () -> Operations.of(store).backlog())) {
                String text = assertThrows(StoreException.class, asked).getMessage();
                assertTrue(text.contains("not as it was when the store was opened"), text);
                assertTrue(text.contains("the table " + table + " is of the engine MyISAM"), text);
            }
            execute("ALTER TABLE " + table + " ENGINE = InnoDB");
            store.checkout(Set.of("t"), 10).close();
            assertEquals(List.of(), Operations.of(store).backlog());
        } finally {
            Surroundings.every = before;
        }
    }

    /** What the servers say that are nodes of one: of Galera, of group replication, and of neither. */
    @Test
    void aClusterThatIsWrittenToOnSeveralNodesIsKnown() {
        assertEquals(
                "wsrep_on is ON",
                new MySqlSession(Map.of("wsrep_on", "ON", "wsrep_provider", "/usr/lib/galera/libgalera_smm.so"))
                        .cluster());
        assertNull(new MySqlSession(Map.of("wsrep_on", "ON", "wsrep_provider", "none")).cluster());
        assertNull(new MySqlSession(Map.of("wsrep_on", "OFF", "wsrep_provider", "/lib/g.so")).cluster());
        assertEquals(
                "group_replication_single_primary_mode is OFF",
                new MySqlSession(Map.of(
                                "group_replication_single_primary_mode", "OFF", "group_replication_group_name", "b5"))
                        .cluster());
        assertNull(new MySqlSession(
                        Map.of("group_replication_single_primary_mode", "ON", "group_replication_group_name", "b5"))
                .cluster());
        assertNull(MySqlSession.UNKNOWN.cluster());
    }
}
