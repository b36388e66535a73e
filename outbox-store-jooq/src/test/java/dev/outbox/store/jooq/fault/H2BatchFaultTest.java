package dev.outbox.store.jooq.fault;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.ConfigurationException;
import dev.outbox.StoreException;
import dev.outbox.Stores;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Faults at exact moments, on H2. */
class H2BatchFaultTest extends BatchFaultTest {
    H2BatchFaultTest() {
        super(new H2Database());
    }

    @Test
    void theEmbeddedFileIsLockedByAnotherProcess(@TempDir Path directory) throws Exception {
        String file = "jdbc:h2:file:" + directory.resolve("outbox");
        try (Log log = Log.empty(directory.resolve("log"));
                RelayProcess holder = new RelayProcess("holder", file, log, Settings.USUAL)) {
            Await.until(
                    "another process to open the file",
                    () -> log.lines().stream().anyMatch(line -> line.is('S', holder.name())));
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
