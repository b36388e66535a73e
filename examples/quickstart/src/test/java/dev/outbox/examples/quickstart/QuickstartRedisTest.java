package dev.outbox.examples.quickstart;

import dev.outbox.servers.RedisServer;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The same in Redis, twice, because the second run finds what the first left behind. */
@Tag("redis")
@Timeout(300)
class QuickstartRedisTest {
    @Test
    void publishesTheBundledOrdersAcrossAKill(@TempDir Path dir) {
        String url = RedisServer.shared().url();
        for (int i = 0; i < 2; i++) {
            QuickstartRun run = QuickstartRun.of("--dir", dir.toString(), "--url", url);
            run.assertGood(QuickstartTest.AUTHORISED, QuickstartTest.DECLINED);
            run.assertKilledInTheMiddle(QuickstartTest.AUTHORISED);
        }
    }
}
