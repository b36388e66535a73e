package dev.outbox.tck;

import static dev.outbox.tck.TestOutbox.TOPIC;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.tck.internal.spec.Level;
import java.time.Duration;
import java.util.List;
import java.util.Set;

/** Failed messages come again, in their place, after their delay. */
@AtLevel(Level.CONTRACT)
interface RetryRules {
    /** Clocks of two processes are read, one in whole milliseconds. */
    Duration TOLERANCE = Duration.ofMillis(20);

    @Rule("OBX-RETRY-1")
    default void attemptsAreCountedAndSurvive(TestOutbox outbox) throws Exception {
        outbox.commit(TOPIC, 0, "1", "2");
        for (int attempts = 0; attempts < 4; attempts++) {
            try (Client client = outbox.open();
                    Client.Batch batch = client.await(10)) {
                assertEquals(attempts, batch.get(0).attempts(), "attempts of a message that failed so often");
                assertEquals(0, batch.get(1).attempts(), "attempts of the message behind it, released so often");
                batch.fail(batch.get(0), Duration.ZERO);
            }
        }
    }

    @Rule("OBX-RETRY-1")
    default void releasingCountsNoAttempt(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        outbox.commit(TOPIC, 0, "1");
        client.await(10).close();
        try (Client.Batch batch = client.await(10)) {
            assertEquals(0, batch.get(0).attempts(), "attempts after a release");
        }
    }

    @Rule("OBX-RETRY-1")
    default void everyFailedMessageOfABatchIsCounted(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        outbox.commit(TOPIC, 0, "1", "2", "3");
        try (Client.Batch batch = client.await(10)) {
            batch.fail(batch.get(2), Duration.ZERO);
            batch.fail(batch.get(0), Duration.ZERO);
        }
        try (Client.Batch batch = client.await(10)) {
            assertEquals(List.of("1", "2", "3"), batch.texts(), "messages after two of them failed");
            assertEquals(
                    List.of(1, 0, 1),
                    batch.messages().stream().map(m -> m.attempts()).toList(),
                    "their attempts");
        }
    }

    @Rule("OBX-RETRY-2")
    default void aFailedPartitionWaitsAndThenStartsWithTheFailedMessage(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        Client other = outbox.open();
        outbox.commit(TOPIC, 0, "1", "2", "3");
        Duration delay = Duration.ofMillis(1_200);
        long closing;
        try (Client.Batch batch = client.await(10)) {
            batch.publish(batch.get(0));
            batch.fail(batch.get(1), delay);
            closing = System.nanoTime();
        }
        outbox.commit(TOPIC, 0, "4");
        client.expectNothingBefore(
                closing + delay.minus(TOLERANCE).toNanos(), "the only partition has failed and waits");
        try (Client.Batch batch = other.await(10)) {
            assertWaited(delay, closing);
            assertEquals(List.of("2", "3", "4"), batch.texts(), "the partition after its delay");
        }
    }

    @Rule("OBX-RETRY-2")
    default void aLongDelayKeepsThePartitionBackFromEveryone(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        outbox.commit(TOPIC, 0, "1", "2");
        try (Client.Batch batch = client.await(10)) {
            batch.fail(batch.get(0), Duration.ofDays(400));
        }
        outbox.commit(TOPIC, 0, "3");
        client.expectNothing("the partition waits for more than a year");
        outbox.open().expectNothing("the partition waits, for new clients too");
    }

    @Rule("OBX-RETRY-3")
    default void theLongestDelayCounts(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        outbox.commit(TOPIC, 0, "1", "2", "3");
        Duration longest = Duration.ofMillis(900);
        long closing;
        try (Client.Batch batch = client.await(10)) {
            batch.fail(batch.get(0), Duration.ZERO);
            batch.fail(batch.get(1), longest);
            batch.fail(batch.get(2), Duration.ofMillis(1));
            closing = System.nanoTime();
        }
        try (Client.Batch batch = client.await(10)) {
            assertWaited(longest, closing);
            assertEquals(List.of("1", "2", "3"), batch.texts(), "the partition after its delay");
        }
    }

    @Rule("OBX-RETRY-4")
    default void withoutDelayThePartitionIsReadyAtOnce(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        outbox.commit(TOPIC, 0, "1", "2");
        for (int i = 0; i < 20; i++) {
            try (Client.Batch batch = client.checkout(10)) {
                assertEquals(
                        List.of("1", "2"), batch.texts(), "the next checkout after failure " + i + " without delay");
                batch.fail(batch.get(0), Duration.ZERO);
            }
        }
    }

    @Rule("OBX-RETRY-5")
    default void aFailingPartitionDelaysNoOther(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        outbox.commit(TOPIC, 0, "failing");
        outbox.commit(TOPIC, 1, "neighbour");
        outbox.commit("bills", 0, "other topic");
        try (Client.Batch batch = client.await(10)) {
            batch.messages().stream()
                    .filter(m -> TestOutbox.text(m).equals("failing"))
                    .forEach(m -> batch.fail(m, Duration.ofHours(1)));
        }
        outbox.drain(client, Set.of("neighbour", "other topic"), TOPIC, "bills");
        client.expectNothing("the failed partition waits", TOPIC, "bills");
    }

    @Rule("OBX-RETRY-6")
    default void everyReasonAndPublishIdIsAccepted(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        List<String> texts = List.of(
                "",
                "NUL \0 inside",
                "half a pair \ud83d",
                "other half \udc1d of a pair",
                "bell \u0007, new line\n, quote ' \" \\ %s ${x} ; --",
                "whole pairs " + "\ud83d\udc1d".repeat(999),
                "x".repeat(100_000));
        for (int i = 0; i < texts.size(); i++) {
            outbox.commit(TOPIC, i, "failed", "dead", "published");
        }
        try (Client.Batch batch = client.await(100)) {
            for (var m : batch.messages()) {
                String text = texts.get(m.partition());
                switch (TestOutbox.text(m)) {
                    case "failed" -> batch.raw().markFailed(m, text, Duration.ZERO);
                    case "dead" -> batch.raw().deadLetter(m, text);
                    default -> batch.raw().markPublished(m, text);
                }
            }
        }
        try (Client.Batch batch = client.await(100)) {
            assertEquals(texts.size(), batch.messages().size(), "messages that failed with a strange reason");
            assertTrue(batch.messages().stream().allMatch(m -> m.attempts() == 1), "each has one attempt");
        }
    }

    private static void assertWaited(Duration delay, long since) {
        Duration waited = Duration.ofNanos(System.nanoTime() - since);
        assertTrue(
                waited.plus(TOLERANCE).compareTo(delay) >= 0,
                "the partition came " + waited.toMillis() + " ms after close; expected at least " + delay.toMillis());
    }
}
