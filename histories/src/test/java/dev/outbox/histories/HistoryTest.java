package dev.outbox.histories;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.processes.SharedLog;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * On every server, once everything that can go wrong; or, if {@code outbox.history.minutes} says so, for so many minutes. {@code
 * outbox.history.backend} names the one that is wanted, {@code outbox.history.seed} what was printed by a run that is to be had
 * again, as far as processes can be.
 */
@Timeout(value = 60, unit = TimeUnit.MINUTES) // for a server that hangs; every wait has its own limit
class HistoryTest {
    private static final int MINUTES = Integer.getInteger("outbox.history.minutes", 0);
    private static final long SEED = Long.getLong("outbox.history.seed", System.currentTimeMillis() % 1_000_000);

    private interface Opening {
        Backend open(SharedLog<Line> log) throws Exception;
    }

    @Test
    @Tag("postgres")
    void postgres() throws Exception {
        history("postgres", PostgresBackend::new);
    }

    @Test
    @Tag("mongo")
    void mongo() throws Exception {
        history("mongo", MongoBackend::new);
    }

    @Test
    @Tag("mysql")
    void mysql() throws Exception {
        history("mysql", MySqlBackend::mysql);
    }

    @Test
    @Tag("mariadb")
    void mariadb() throws Exception {
        history("mariadb", MySqlBackend::mariadb);
    }

    @Test
    @Tag("redis")
    void redis() throws Exception {
        history("redis", RedisBackend::new);
    }

    private static void history(String name, Opening opening) throws Exception {
        long began = System.nanoTime();
        Path path = Path.of("target", "histories", name + (MINUTES == 0 ? "" : "-" + MINUTES + "-" + SEED) + ".log");
        try (SharedLog<Line> log = SharedLog.empty(path, Line::parse);
                Backend backend = opening.open(log);
                History history = new History(backend, log, SEED, MINUTES == 0)) {
            history.start();
            if (MINUTES == 0) {
                history.once();
            } else {
                history.last(Duration.ofMinutes(MINUTES));
            }
            Verdict verdict = history.finish();
            System.out.println("history backend=" + name + " seed=" + SEED + " seconds="
                    + Duration.ofNanos(System.nanoTime() - began).toSeconds() + " " + verdict);
            assertTrue(verdict.isClean(), () -> verdict + "\n" + verdict.details() + "seed " + SEED + ", see " + path);
        }
    }
}
