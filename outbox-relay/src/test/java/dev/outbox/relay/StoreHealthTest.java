package dev.outbox.relay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.StoreException;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** However often a store comes and goes, the log says of one that is away for long that it is. */
class StoreHealthTest {
    private final StoreException failure = new StoreException("away");

    private final ByteArrayOutputStream written = new ByteArrayOutputStream();
    private final PrintStream before = System.err;
    private final AtomicLong now = new AtomicLong();
    private final StoreHealth health = new StoreHealth(now::get);

    @BeforeEach
    void catchLog() {
        System.setErr(new PrintStream(written, true, StandardCharsets.UTF_8));
    }

    @AfterEach
    void letLogGo() {
        System.setErr(before);
    }

    private List<String> lines() {
        return written.toString(StandardCharsets.UTF_8)
                .lines()
                .filter(line -> line.contains("[OUTBOX-"))
                .map(line -> line.substring(line.indexOf("[OUTBOX-")))
                .toList();
    }

    @Test
    void aSecondOutageThatLastsIsToldWhenAMinuteIsOver() {
        for (int i = 0; i < 3; i++) {
            health.saw(failure);
            health.saw(failure);
            health.saw(null);
        }
        assertEquals(2, lines().size(), lines()::toString);
        health.saw(failure);
        assertEquals(2, lines().size(), lines()::toString);
        now.addAndGet(Duration.ofMinutes(1).toNanos() + 1);
        health.saw(failure);
        health.saw(failure);
        assertEquals(3, lines().size(), lines()::toString);
        assertTrue(lines().get(2).startsWith("[OUTBOX-101]"), lines()::toString);
        assertTrue(lines().get(2).contains("failed 2 times more"), lines()::toString);
        health.saw(null);
        assertEquals("[OUTBOX-102] The store works again", lines().get(3));
        health.saw(null);
        assertEquals(4, lines().size(), lines()::toString);
    }
}
