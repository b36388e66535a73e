package dev.outbox.tck;

import static dev.outbox.tck.TestOutbox.TOPIC;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.outbox.Capability;
import dev.outbox.DeadLetter;
import dev.outbox.Operations;
import dev.outbox.OutgoingMessage;
import dev.outbox.PersistedMessage;
import dev.outbox.tck.internal.record.RuleViolation;
import dev.outbox.tck.internal.spec.Level;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

/** What a store says of times, by its own clock, which may be another than the test's and tick in whole seconds. */
@AtLevel(Level.CONTRACT)
interface TimeRules {
    /** As coarse as a store's clock may be. */
    Duration TICK = Duration.ofSeconds(1);

    /** Longer than two ticks, so that a time that stands still is found out. */
    Duration APART = Duration.ofMillis(2_100);

    @Rule("OBX-PAYLOAD-3")
    default void timesAreThoseOfTheStoresClock(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        Span first = Span.of(() -> outbox.commit(TOPIC, 0, "first"));
        LockSupport.parkNanos(APART.toNanos());
        Span second = Span.of(() -> outbox.commit(TOPIC, 1, "second"));
        Instant firstCreated = created(client, "first");
        Instant secondCreated = created(client, "second");
        first.until(second)
                .requireHas(Duration.between(firstCreated, secondCreated), "OBX-PAYLOAD-3", "createdAt of the second");
        if (!TestOutbox.has(client, Capability.OPERATIONS)) {
            return;
        }
        Operations operations = client.operations();
        Duration[] age = {Duration.ZERO};
        Span asked = Span.of(() -> age[0] = operations.backlog().stream()
                .filter(b -> b.topic().equals(TOPIC) && b.partition() == 0)
                .findFirst()
                .orElseThrow(() -> new RuleViolation("OBX-OPS-1", "a partition with a message is not listed"))
                .oldestAge());
        first.until(asked).requireHas(age[0], "OBX-OPS-1", "the age of the first");
        String[] died = new String[1];
        Span closing = Span.of(() -> {
            try (Client.Batch batch = client.await(10)) {
                for (PersistedMessage m : batch.messages()) {
                    if (TestOutbox.text(m).equals("first")) {
                        died[0] = m.id();
                        batch.bury(m);
                    } else {
                        batch.fail(m, Duration.ofHours(1));
                    }
                }
            }
        });
        Instant next = operations.failingPartitions().stream()
                .findFirst()
                .orElseThrow(() -> new RuleViolation("OBX-OPS-2", "a partition whose head failed is not listed"))
                .nextAttempt();
        second.until(closing)
                .requireHas(
                        Duration.between(secondCreated, next).minusHours(1),
                        "OBX-OPS-2",
                        "an hour before the next attempt of the second");
        DeadLetter letter = operations
                .deadLetter(died[0])
                .orElseThrow(() -> new RuleViolation("OBX-DEAD-2", "a dead letter is not found by its id"));
        first.until(closing)
                .requireHas(Duration.between(firstCreated, letter.diedAt()), "OBX-DEAD-2", "the death of the first");
    }

    /** What is delivered again is the same message, wherever it was meanwhile. */
    @Rule("OBX-PAYLOAD-3")
    default void aMessageThatComesAgainIsTheSame(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        OutgoingMessage written = new OutgoingMessage(
                TOPIC, 3, "key \u00e9", Map.of("trace", "\ud83d\udc1d", "empty", ""), new byte[] {0, -1, 7});
        outbox.commit(written);
        PersistedMessage first;
        try (Client.Batch batch = client.await(1)) {
            first = batch.get(0);
            batch.fail(first, Duration.ZERO);
        }
        LockSupport.parkNanos(5_000_000); // a new time would be another, by most clocks
        try (Client.Batch batch = outbox.open().await(1)) {
            assertSame(first, batch.get(0), "after a failure");
            batch.bury(batch.get(0));
        }
        if (!TestOutbox.has(client, Capability.OPERATIONS)) {
            return;
        }
        Operations operations = client.operations();
        assertSame(first, deadLetter(operations, first.id()), "as a dead letter");
        LockSupport.parkNanos(TICK.toNanos());
        assertEquals(1, operations.redrive(Set.of(first.id())), "redriven");
        for (int times = 1; times <= 2; times++) {
            try (Client.Batch batch = client.await(1)) {
                assertSame(first, batch.get(0), "redriven " + times + " times");
                batch.bury(batch.get(0));
            }
            assertSame(first, deadLetter(operations, first.id()), "as a dead letter again");
            operations.redrive(Set.of(first.id()));
        }
    }

    private static PersistedMessage deadLetter(Operations operations, String id) {
        return operations
                .deadLetter(id)
                .orElseThrow(() -> new RuleViolation("OBX-DEAD-2", "a dead letter is not found by its id"))
                .message();
    }

    private static void assertSame(PersistedMessage expected, PersistedMessage actual, String when) {
        assertEquals(expected.id(), actual.id(), "the id " + when);
        assertEquals(expected.partition(), actual.partition(), "the partition " + when);
        assertEquals(expected.key(), actual.key(), "the key " + when);
        assertEquals(expected.headers(), actual.headers(), "the headers " + when);
        assertArrayEquals(expected.payload(), actual.payload(), "the payload " + when);
        assertEquals(expected.createdAt(), actual.createdAt(), "createdAt " + when);
    }

    private static Instant created(Client client, String text) throws Exception {
        try (Client.Batch batch = client.await(10)) {
            return batch.messages().stream()
                    .filter(m -> TestOutbox.text(m).equals(text))
                    .findFirst()
                    .orElseThrow(() -> new AssertionError("'" + text + "' is not in the batch: " + batch.texts()))
                    .createdAt();
        }
    }

    /** From when to when something was done, by the test's clock. */
    record Span(long began, long ended) {
        static Span of(Step step) throws Exception {
            long began = System.nanoTime();
            step.run();
            return new Span(began, System.nanoTime());
        }

        /** How far one moment of this span may be from one of a later span. */
        Between until(Span later) {
            return new Between(
                    Duration.ofNanos(later.began - ended).minus(TICK),
                    Duration.ofNanos(later.ended - began).plus(TICK));
        }
    }

    /** Bounds of a length of time. */
    record Between(Duration least, Duration most) {
        void requireHas(Duration actual, String rule, String what) {
            if (actual.compareTo(least) < 0 || actual.compareTo(most) > 0) {
                throw new RuleViolation(
                        rule,
                        what + " was " + actual.toMillis() + " ms after the message that it is measured from; expected "
                                + least.toMillis() + " to " + most.toMillis() + " ms");
            }
        }
    }

    /** What is timed. */
    @FunctionalInterface
    interface Step {
        /** Does it. */
        void run() throws Exception;
    }
}
