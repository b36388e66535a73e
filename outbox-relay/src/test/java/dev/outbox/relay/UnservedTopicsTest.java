package dev.outbox.relay;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.Operations;
import dev.outbox.StoreException;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class UnservedTopicsTest {
    private static final Set<String> SERVED = Set.of("orders");

    private final List<Operations.Backlog> waiting = new ArrayList<>();
    private int looks;
    private long now; // ns

    @Test
    void aTopicWhoseFirstMessageStaysIsNamedOnce() {
        waiting.add(new Operations.Backlog("ordres", 0, 1, Duration.ofSeconds(1)));
        waiting.add(new Operations.Backlog("orders", 0, 1, Duration.ofSeconds(1)));
        waiting.add(new Operations.Backlog("invoices", 0, 1, Duration.ofSeconds(1)));
        UnservedTopics topics = topics();
        assertEquals("", log(topics), "a first look says nothing");
        assertEquals(List.of(), topics.topics(SERVED));
        pass(Duration.ofSeconds(1));
        waiting.set(0, new Operations.Backlog("ordres", 0, 5, Duration.ofSeconds(2)));
        waiting.set(1, new Operations.Backlog("orders", 0, 1, Duration.ofSeconds(2)));
        String said = log(topics); // invoices: another message is first, so somebody serves it
        assertTrue(
                said.contains("WARN dev.outbox.relay - [OUTBOX-109] Messages of topic ordres have waited for PT2S"),
                said);
        assertTrue(said.contains("only [orders]"), said);
        assertTrue(!said.contains("topic orders") && !said.contains("topic invoices"), said);
        pass(Duration.ofSeconds(7));
        waiting.set(0, new Operations.Backlog("ordres", 0, 5, Duration.ofSeconds(9)));
        assertEquals("", log(topics), "once");
        assertEquals(List.of("ordres"), topics.topics(SERVED), "it still waits");
        assertEquals(List.of(), topics.topics(Set.of("orders", "ordres")), "it was registered since the look");
        waiting.remove(0);
        assertEquals("", log(topics));
        assertEquals(List.of(), topics.topics(SERVED), "another relay has it");
        assertEquals(4, looks);
    }

    /** Between the looks of a busy relay, a topic may be served for minutes and wait again for some seconds. */
    @Test
    void aYoungMessageAfterALongPauseIsAnotherOne() {
        waiting.add(new Operations.Backlog("orders-2", 0, 1, Duration.ofMillis(1)));
        UnservedTopics topics = topics();
        assertEquals("", log(topics));
        pass(Duration.ofMinutes(5));
        waiting.set(0, new Operations.Backlog("orders-2", 0, 1, Duration.ofSeconds(9)));
        assertEquals("", log(topics));
        pass(Duration.ofMinutes(5));
        waiting.set(0, new Operations.Backlog("orders-2", 0, 1, Duration.ofHours(1)));
        assertTrue(log(topics).contains("Messages of topic orders-2 have waited for PT1H"));
    }

    @Test
    void aStoreThatFailsIsNotReportedHere() {
        UnservedTopics topics = new UnservedTopics(
                () -> {
                    looks++;
                    throw new StoreException("away");
                },
                Duration.ofNanos(1),
                () -> now);
        assertEquals("", log(topics));
        assertEquals("", log(topics));
        assertEquals(2, looks);
    }

    /** A worker looks, and publishes nothing meanwhile. */
    @Test
    void afterASlowLookThereIsALongPause() {
        UnservedTopics topics = new UnservedTopics(
                () -> {
                    looks++;
                    pass(Duration.ofMillis(500));
                    return List.of();
                },
                Duration.ofNanos(1),
                () -> now);
        pass(Duration.ofNanos(1));
        topics.look(Set.of("orders"), true);
        pass(Duration.ofMillis(9_999));
        topics.look(Set.of("orders"), true);
        assertEquals(1, looks, "looks within ten seconds");
        pass(Duration.ofMillis(1));
        topics.look(Set.of("orders"), true);
        assertEquals(2, looks, "looks after ten seconds");
    }

    @Test
    void nobodyLooksBeforeItIsTime() {
        UnservedTopics topics = new UnservedTopics(
                () -> {
                    throw new AssertionError("looked");
                },
                Duration.ofHours(1),
                () -> now);
        topics.look(Set.of("orders"), true);
    }

    private UnservedTopics topics() {
        return new UnservedTopics(
                () -> {
                    looks++;
                    return List.copyOf(waiting);
                },
                Duration.ofNanos(1),
                () -> now);
    }

    private void pass(Duration time) {
        now += time.toNanos();
    }

    private String log(UnservedTopics topics) {
        int looksBefore = looks;
        PrintStream before = System.err;
        ByteArrayOutputStream written = new ByteArrayOutputStream();
        System.setErr(new PrintStream(written, true, StandardCharsets.UTF_8));
        try {
            pass(Duration.ofNanos(1));
            topics.look(Set.of("orders"), true);
        } finally {
            System.setErr(before);
        }
        assertEquals(looksBefore + 1, looks);
        return written.toString(StandardCharsets.UTF_8);
    }
}
