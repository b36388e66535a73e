package dev.outbox.examples.quickstart;

import dev.outbox.servers.MongoServer;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The same on MongoDB, twice, because the second run finds what the first left behind. */
@Tag("mongo")
@Timeout(300)
class QuickstartMongoTest {
    @Test
    void publishesTheBundledOrdersAcrossAKill(@TempDir Path dir) {
        MongoServer server = MongoServer.shared();
        String url = server.newDatabase();
        try {
            for (int i = 0; i < 2; i++) {
                QuickstartRun run = QuickstartRun.of("--dir", dir.toString(), "--url", url);
                run.assertGood(QuickstartTest.AUTHORISED, QuickstartTest.DECLINED);
                run.assertKilledInTheMiddle(QuickstartTest.AUTHORISED);
            }
        } finally {
            server.dropDatabase(url);
        }
    }
}
