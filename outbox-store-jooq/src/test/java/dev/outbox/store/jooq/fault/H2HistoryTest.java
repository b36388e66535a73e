package dev.outbox.store.jooq.fault;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Histories under faults, on H2. */
class H2HistoryTest extends HistoryTest {
    H2HistoryTest() {
        super(new H2Database());
    }

    /** One of the processes is the server of the others, and one of them has to take its place. */
    @Test
    void whoeverHoldsTheEmbeddedFileIsKilled(@TempDir Path directory) throws Exception {
        String file = "jdbc:h2:file:" + directory.resolve("outbox") + ";AUTO_SERVER=TRUE;WRITE_DELAY=0";
        try (History history = history("holder of the file killed", file, Settings.USUAL)) {
            history.start(file, file);
            history.awaitDelivered(100);
            int now = history.now();
            history.databaseFault("kill both relays");
            history.relay(1).kill();
            history.relay(2).kill();
            for (int relay = 1; relay <= 2; relay++) {
                String name = history.relay(relay).name();
                history.awaitLines("messages from " + name, now, line -> line.is('D', name), 50);
            }
            history.finish();
        }
    }
}
