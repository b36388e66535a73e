package dev.outbox.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What lines of this library look like, and how many there are. */
class LogTest {
    private static final String TEXT = "[OUTBOX-999] {} failed: {}";

    private final ByteArrayOutputStream written = new ByteArrayOutputStream();
    private final PrintStream before = System.err;

    @BeforeEach
    void catchLog() {
        System.setErr(new PrintStream(written, true, StandardCharsets.UTF_8));
    }

    @AfterEach
    void letLogGo() {
        System.setErr(before);
    }

    private List<String> lines() {
        return written.toString(StandardCharsets.UTF_8).lines().toList();
    }

    @Test
    void aTextOfOthersWritesNoLineOfItsOwn() {
        Object forged = "one\r\nWARN forged\u2028two\u2029three\u0085four\u001b[2J";
        Log log = Log.of(LogTest.class);
        log.info(TEXT, forged, Path.of("a\nb"));
        log.warn(TEXT, forged, null);
        log.sparing().error(TEXT, 1, forged);
        String shown = "one  WARN forged two three four [2J";
        assertEquals(3, lines().size(), lines()::toString);
        assertTrue(lines().get(0).endsWith("[OUTBOX-999] " + shown + " failed: a b"), lines()::toString);
        assertTrue(lines().get(1).endsWith("[OUTBOX-999] " + shown + " failed: null"), lines()::toString);
        assertTrue(lines().get(2).endsWith("[OUTBOX-999] 1 failed: " + shown), lines()::toString);
    }

    @Test
    void aFailureAtTheEndHasItsStackTrace() {
        Log.of(LogTest.class).warn(TEXT, "it", "yes", new IllegalStateException("of the test"));
        assertTrue(lines().get(0).endsWith("it failed: yes"), lines()::toString);
        assertEquals("java.lang.IllegalStateException: of the test", lines().get(1));
        assertTrue(lines().get(2).contains("at dev.outbox"), lines()::toString);
    }

    @Test
    void whatCannotBeShownHasTheNameOfItsClass() {
        Object broken = new Object() {
            @Override
            public String toString() {
                throw new IllegalStateException("of the test");
            }
        };
        Log.of(LogTest.class).warn(TEXT, broken, broken);
        String name = broken.getClass().getName();
        assertEquals(1, lines().size(), lines()::toString);
        assertTrue(lines().get(0).endsWith(name + " failed: " + name), lines()::toString);
    }

    @Test
    void ofEachTextTenAMinuteAndTheOthersAreCounted() {
        AtomicLong now = new AtomicLong();
        Log log = Log.of(LogTest.class).sparing(now::get);
        IntStream.range(0, 300).forEach(i -> log.warn(TEXT, i, "yes"));
        assertEquals(10, lines().size(), lines()::toString);
        log.error("[OUTBOX-998] Another");
        assertEquals(11, lines().size(), lines()::toString);
        now.addAndGet(Duration.ofMinutes(1).toNanos());
        log.warn(TEXT, 300, "yes");
        assertEquals(11, lines().size(), lines()::toString);
        now.addAndGet(1);
        log.warn(TEXT, 301, "yes");
        log.warn(TEXT, 302, "yes");
        assertEquals(14, lines().size(), lines()::toString);
        assertTrue(lines().get(12).contains("[OUTBOX-002] 291 more lines [OUTBOX-999] "), lines()::toString);
    }
}
