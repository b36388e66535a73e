package dev.outbox.store.jooq.fault;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.zaxxer.hikari.HikariDataSource;
import dev.outbox.ConfigurationException;
import dev.outbox.MessageBatch;
import dev.outbox.Store;
import dev.outbox.StoreException;
import dev.outbox.StoreOptions;
import dev.outbox.Stores;
import dev.outbox.processes.Await;
import dev.outbox.processes.SharedLog;
import dev.outbox.store.jooq.JdbcOutbox;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Faults at exact moments, on H2. */
class H2BatchFaultTest extends BatchFaultTest {
    H2BatchFaultTest() {
        super(new H2Database());
    }

    /** A rollback of H2 may break the lock that somebody else has on the same row by then, see {@code H2Dialect}. */
    @Test
    void holdsThatChangedNothingAreNotRolledBack() throws Exception {
        AtomicInteger rollbacks = new AtomicInteger();
        commit("1");
        try (HikariDataSource pool = pool(url, 3);
                Store store =
                        JdbcOutbox.store(Before.rollback(pool, rollbacks::incrementAndGet), StoreOptions.defaults());
                Store other = Stores.open(url)) {
            rollbacks.set(0); // those of the rehearsal, when it was opened
            store.checkout(Set.of(Settings.TOPIC), 1).close(); // released
            try (MessageBatch held = other.checkout(Set.of(Settings.TOPIC), 1)) {
                assertEquals(1, held.messages().size());
                assertEquals(List.of(), publishAll(store), "what another batch holds"); // tried in vain
            }
            assertEquals(0, rollbacks.get(), "rollbacks");
            assertEquals(List.of("1"), publishAll(store));
        }
    }

    @Test
    void theEmbeddedFileIsLockedByAnotherProcess(@TempDir Path directory) throws Exception {
        String file = "jdbc:h2:file:" + directory.resolve("outbox");
        try (SharedLog<Line> log = SharedLog.empty(directory.resolve("log"), Line::parse);
                RelayProcess holder = new RelayProcess("holder", file, log, Settings.USUAL, Map.of())) {
            Await.until(
                    "another process to open the file",
                    () -> log.since(0).stream().anyMatch(line -> line.is('S', holder.name())));
            Exception refused = assertThrowsAny(() -> Stores.open(file).close());
            String text = String.valueOf(refused.getMessage());
            assertTrue(refused instanceof ConfigurationException, refused.toString());
            assertTrue(text.contains("open in another process") && text.contains(";AUTO_SERVER=TRUE"), text);
            holder.stop();
        }
        Stores.open(file).close();
    }

    private static Exception assertThrowsAny(Runnable action) {
        try {
            action.run();
        } catch (ConfigurationException | StoreException e) {
            return e;
        }
        throw new AssertionError("The file was opened though another process has it open.");
    }
}
