package dev.outbox.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Whatever comes and goes, the last line of the log says how it is. */
class OutageTest {
    private final ByteArrayOutputStream written = new ByteArrayOutputStream();
    private final PrintStream before = System.err;
    private final AtomicLong now = new AtomicLong();
    private final Outage outage =
            new Outage(Log.of(OutageTest.class), now::get, "[OUTBOX-999] It fails: {}", "[OUTBOX-998] It works again");

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
                .map(line -> line.substring(line.indexOf("[OUTBOX-")))
                .toList();
    }

    private String last() {
        List<String> lines = lines();
        return lines.get(lines.size() - 1);
    }

    @Test
    void eachOutageHasTwoLines() {
        outage.failed("once");
        outage.failed("twice");
        assertTrue(outage.works());
        assertFalse(outage.works());
        assertEquals(List.of("[OUTBOX-999] It fails: once", "[OUTBOX-998] It works again"), lines());
    }

    /** An outage begins at the end of the minute in which there were ten already, and ends in the next. */
    @Test
    void anEndIsToldIfTheBeginningWas() {
        for (int i = 0; i < 10; i++) {
            outage.failed(i);
            now.addAndGet(Duration.ofSeconds(3).toNanos());
            outage.works();
            now.addAndGet(Duration.ofSeconds(3).toNanos());
        }
        now.addAndGet(Duration.ofSeconds(1).toNanos());
        outage.failed("as the next minute begins");
        assertEquals("[OUTBOX-999] It fails: as the next minute begins", last());
        outage.works();
        assertEquals("[OUTBOX-998] It works again", last());
    }

    @Test
    void anOutageThatLastsIsTold() {
        for (int i = 0; i < 30; i++) {
            outage.failed(i);
            outage.works();
        }
        assertEquals(20, lines().size(), lines()::toString);
        outage.failed("and lasts");
        assertEquals("[OUTBOX-998] It works again", last());
        now.addAndGet(Duration.ofMinutes(1).toNanos() + 1);
        outage.failed("and lasts");
        assertTrue(lines().contains("[OUTBOX-999] It fails: and lasts"), lines()::toString);
        outage.failed("and lasts");
        assertEquals(
                1, lines().stream().filter(line -> line.contains("and lasts")).count(), lines()::toString);
        outage.works();
        assertEquals("[OUTBOX-998] It works again", last());
    }
}
