package dev.outbox.tck;

import static dev.outbox.tck.TestOutbox.TOPIC;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.Capability;
import dev.outbox.DeadLetter;
import dev.outbox.Operations.Backlog;
import dev.outbox.Operations.DeadLetterTopic;
import dev.outbox.Operations.FailingPartition;
import dev.outbox.tck.internal.spec.Level;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/** What an operator sees and does. */
@AtLevel(Level.CONTRACT)
interface OperationsRules {
    @Rule("OBX-OPS-1")
    default void theBacklogCountsWhatWaits(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        if (CapabilityRules.isWithoutOperations(client)) {
            return;
        }
        assertEquals(List.of(), client.operations().backlog(), "the backlog of an empty outbox");
        long beforeOldest = System.nanoTime();
        outbox.commit("orders", 10, "1", "2", "3");
        outbox.commit("orders", 9, "4");
        outbox.commit("bills", 0, "5", "6");
        try (Writer open = outbox.begin()) {
            open.write("orders", 9, "uncommitted");
            assertEquals(List.of("bills/0 2", "orders/9 1", "orders/10 3"), pending(client), "partition and pending");
        }
        try (Client.Batch batch = client.await(1, "orders")) {
            assertEquals(
                    List.of("bills/0 2", "orders/9 1", "orders/10 3"), pending(client), "while some of it is held");
            batch.publishAll();
        }
        List<Backlog> backlog = client.operations().backlog();
        Duration oldest = Duration.ofNanos(System.nanoTime() - beforeOldest);
        for (Backlog each : backlog) {
            assertFalse(each.oldestAge().isNegative(), "the oldest age is negative: " + each);
            // The store's clock may tick in whole seconds.
            assertTrue(
                    each.oldestAge().compareTo(oldest.plusSeconds(2)) <= 0,
                    "the oldest age is more than the test has run, " + oldest + ": " + each);
        }
        try (Client.Batch batch = client.await(100, "bills")) {
            batch.publish(batch.get(0));
            batch.bury(batch.get(1));
        }
        assertTrue(
                pending(client).stream().noneMatch(p -> p.startsWith("bills")),
                "a partition with nothing but settled messages and dead letters is listed: " + pending(client));
    }

    /** A backlog of 10,000 may be larger than that. A lower number is exact. */
    @Rule("OBX-OPS-1")
    default void aLargeBacklogIsCountedFarEnough(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        if (CapabilityRules.isWithoutOperations(client)) {
            return;
        }
        int below = Backlog.EXACT_UP_TO - 1;
        // In parts, because some databases end a transaction that takes long.
        for (int done = 0; done < below; done += 1_000) {
            try (Writer writer = outbox.begin()) {
                writer.writeAll(Stream.generate(() -> TestOutbox.message("orders", 1, ""))
                        .limit(Math.min(1_000, below - done))
                        .toList());
                writer.commit();
            }
        }
        assertEquals(List.of("orders/1 9999"), pending(client), "one below where counting may end");
        outbox.commit("orders", 1, "", "");
        Backlog large = client.operations().backlog().get(0);
        assertTrue(
                large.pending() == Backlog.EXACT_UP_TO || large.pending() == Backlog.EXACT_UP_TO + 1,
                "of 10,001 messages, pending are 10,000 or all: " + large);
        outbox.saw(2); // answers
    }

    @Rule("OBX-OPS-2")
    default void failingPartitionsAreListedUntilTheirHeadIsSettled(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        if (CapabilityRules.isWithoutOperations(client)) {
            return;
        }
        outbox.commit(TOPIC, 10, "fine");
        String failing = outbox.commit(TOPIC, 9, "failing", "behind").get(0);
        String other = outbox.commit("bills", 0, "other").get(0);
        assertEquals(List.of(), client.operations().failingPartitions(), "failing partitions before any failure");
        for (int attempts = 1; attempts <= 2; attempts++) {
            try (Client.Batch batch = client.await(10, TOPIC, "bills")) {
                for (var m : batch.messages()) {
                    if (m.id().equals(failing) || m.id().equals(other)) {
                        batch.raw().markFailed(m, "away, time " + attempts, Duration.ZERO);
                    }
                }
            }
            List<FailingPartition> listed = outbox.open().operations().failingPartitions();
            assertEquals(2, listed.size(), "failing partitions: " + listed);
            assertEquals("bills", listed.get(0).topic(), "the first topic, in order");
            FailingPartition second = listed.get(1);
            assertEquals(TOPIC, second.topic(), "topic");
            assertEquals(9, second.partition(), "partition");
            assertEquals(failing, second.messageId(), "id of the message that failed");
            assertEquals(attempts, second.attempts(), "attempts");
            assertEquals("away, time " + attempts, second.reason(), "reason");
        }
        try (Client.Batch batch = client.await(10, TOPIC, "bills")) {
            for (var m : batch.messages()) {
                if (m.id().equals(failing)) {
                    batch.publish(m);
                } else if (m.id().equals(other)) {
                    batch.bury(m);
                }
            }
        }
        assertEquals(
                List.of(),
                client.operations().failingPartitions(),
                "failing partitions after their heads were settled");
    }

    @Rule("OBX-OPS-2")
    default void aLaterMessageThatFailedIsListedWhenItIsTheHead(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        if (CapabilityRules.isWithoutOperations(client)) {
            return;
        }
        List<String> ids = outbox.commit(TOPIC, 0, "first", "second", "third");
        try (Client.Batch batch = client.await(10)) {
            batch.fail(batch.get(0), Duration.ZERO);
            batch.fail(batch.get(1), Duration.ZERO);
        }
        for (int settled = 0; settled < 2; settled++) {
            List<FailingPartition> listed = client.operations().failingPartitions();
            assertEquals(
                    List.of(ids.get(settled) + " 1"),
                    listed.stream()
                            .map(each -> each.messageId() + " " + each.attempts())
                            .toList(),
                    "messages that fail, and their attempts, after " + settled + " were published");
            try (Client.Batch batch = client.await(1)) {
                batch.publishAll();
            }
        }
        assertEquals(List.of(), client.operations().failingPartitions(), "failing partitions of one that never failed");
    }

    @Rule("OBX-OPS-3")
    default void retryNowEndsTheDelay(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        if (CapabilityRules.isWithoutOperations(client)) {
            return;
        }
        outbox.commit(TOPIC, 0, "1", "2");
        assertFalse(client.operations().retryNow(TOPIC, 0), "retryNow of a partition that has not failed");
        assertFalse(client.operations().retryNow("unknown", 3), "retryNow of a partition that is not there");
        try (Client.Batch batch = client.await(10)) {
            batch.fail(batch.get(0), Duration.ofHours(1));
        }
        client.expectNothing("the partition waits for an hour");
        assertTrue(outbox.open().operations().retryNow(TOPIC, 0), "retryNow of the failing partition");
        try (Client.Batch batch = client.await(10)) {
            assertEquals(List.of("1", "2"), batch.texts(), "the partition after retryNow");
            assertEquals(1, batch.get(0).attempts(), "attempts stay counted");
            batch.publish(batch.get(0));
        }
        assertFalse(client.operations().retryNow(TOPIC, 0), "retryNow after the head was published");
    }

    /** A batch of another partition must hold nothing that is in the way. */
    @Rule("OBX-OPS-3")
    default void retryNowEndsDelaysWhileABatchIsOpen(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        if (CapabilityRules.isWithoutOperations(client)) {
            return;
        }
        Client other = outbox.open();
        Set<String> failing = new HashSet<>();
        for (int partition = 1; partition <= 8; partition++) {
            outbox.commit(TOPIC, partition, "failing " + partition);
            failing.add("failing " + partition);
        }
        outbox.commit(TOPIC, 0, "held");
        Set<String> left = new HashSet<>(failing);
        while (!left.isEmpty()) {
            try (Client.Batch batch = client.await(100)) {
                batch.messages().stream()
                        .filter(m -> left.remove(TestOutbox.text(m)))
                        .forEach(m -> batch.fail(m, Duration.ofHours(1)));
            }
        }
        try (Client.Batch held = client.await(100)) {
            assertEquals(List.of("held"), held.texts(), "messages of the only partition that is ready");
            assertEquals(8, other.operations().retryNow(TOPIC), "failing partitions of the topic");
            outbox.drain(other, failing, TOPIC);
        }
    }

    @Rule("OBX-OPS-3")
    default void retryNowEndsTheDelaysOfATopic(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        if (CapabilityRules.isWithoutOperations(client)) {
            return;
        }
        assertEquals(0, client.operations().retryNow(TOPIC), "retryNow of a topic of which nothing is there");
        for (int partition : new int[] {0, 3, 11}) {
            outbox.commit(TOPIC, partition, "failing " + partition);
        }
        outbox.commit(TOPIC, 4, "fine");
        outbox.commit(TOPIC + "/sub", 0, "of another topic");
        List<String> topics = List.of(TOPIC, TOPIC + "/sub");
        for (String topic : topics) {
            try (Client.Batch batch = client.await(10, topic)) {
                batch.messages().forEach(m -> {
                    if (TestOutbox.text(m).equals("fine")) {
                        batch.publish(m);
                    } else {
                        batch.fail(m, Duration.ofHours(1));
                    }
                });
            }
        }
        client.expectNothing("all partitions wait for an hour", TOPIC, TOPIC + "/sub");
        assertEquals(3, outbox.open().operations().retryNow(TOPIC), "failing partitions of the topic");
        try (Client.Batch batch = client.await(10, TOPIC, TOPIC + "/sub")) {
            assertEquals(
                    Set.of("failing 0", "failing 3", "failing 11"),
                    Set.copyOf(batch.texts()),
                    "messages that come after retryNow of their topic");
            assertTrue(batch.messages().stream().allMatch(m -> m.attempts() == 1), "attempts stay counted");
            batch.publishAll();
        }
        assertEquals(0, client.operations().retryNow(TOPIC), "retryNow after all of the topic was published");
        client.expectNothing("the partition of another topic waits for an hour", TOPIC + "/sub");
        assertEquals(0, client.operations().retryNow("' OR ''='"), "retryNow of a text that is no topic");
    }

    @Rule("OBX-OPS-4")
    default void topicsWithDeadLettersAreListed(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        if (CapabilityRules.isWithoutOperations(client)) {
            return;
        }
        assertEquals(List.of(), client.operations().deadLetterTopics(), "topics with dead letters before any");
        List<String> orders = outbox.commit("orders", 0, "1", "2");
        outbox.commit("bills", 2, "3");
        outbox.commit("orders/sub", 0, "4");
        outbox.commit("fine", 0, "5");
        bury(client, "orders", 2);
        bury(client, "bills", 1);
        bury(client, "orders/sub", 1);
        orders = new ArrayList<>(orders);
        orders.addAll(outbox.commit("orders", 1, "6"));
        bury(client, "orders", 1);
        Client other = outbox.open();
        assertEquals(List.of("bills 1", "orders 3", "orders/sub 1"), dead(other), "topic and dead letters");
        DeadLetterTopic topic = other.operations().deadLetterTopics().get(1);
        List<Instant> times = other.operations().deadLetters("orders", null, 10).stream()
                .map(DeadLetter::diedAt)
                .sorted()
                .toList();
        assertEquals(times.get(0), topic.firstDiedAt(), "when the first died");
        assertEquals(times.get(2), topic.lastDiedAt(), "when the last died");
        assertEquals(1, client.operations().discard(orders.subList(0, 1)), "discarded");
        assertEquals(1, client.operations().redrive(orders.subList(2, 3)), "redriven");
        assertEquals(List.of("bills 1", "orders 1", "orders/sub 1"), dead(client), "after two of three were repaired");
        topic = client.operations().deadLetterTopics().get(1);
        assertEquals(
                topic.firstDiedAt(), topic.lastDiedAt(), "of a single dead letter, when the first and the last died");
        assertEquals(1, client.operations().discard(orders), "discarded, of one that is left");
        assertEquals(List.of("bills 1", "orders/sub 1"), dead(client), "after all of a topic were repaired");
        outbox.commit("orders", 1, "7");
        bury(client, "orders", 2);
        assertEquals(List.of("bills 1", "orders 2", "orders/sub 1"), dead(client), "after more have died");
    }

    private static List<String> dead(Client client) {
        return client.operations().deadLetterTopics().stream()
                .map(topic -> topic.topic() + " " + topic.deadLetters())
                .toList();
    }

    private static void bury(Client client, String topic, int expected) throws Exception {
        try (Client.Batch batch = client.await(10, topic)) {
            assertEquals(expected, batch.messages().size(), "messages to give up: " + batch.texts());
            batch.messages().forEach(batch::bury);
        }
    }

    @Rule("OBX-WAKE-1")
    default void aCommitWakesListenersUp(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        if (!TestOutbox.has(client, Capability.WAKE_UP)) {
            CapabilityRules.assertRefused(client, Capability.WAKE_UP);
            return;
        }
        WakeUpCounter counter = new WakeUpCounter(client);
        outbox.commit(TOPIC, 0, "1");
        outbox.eventually("a wake-up after a commit", () -> counter.calls() > 0 ? true : null);
        assertEquals(List.of("1"), client.publishAll(10), "what is there when the listener was called");
        counter.end();
        int before = counter.callsWhenQuiet();
        WakeUpCounter second = new WakeUpCounter(client);
        outbox.commit(TOPIC, 0, "2");
        outbox.eventually("a wake-up of the listener that is left", () -> second.calls() > 0 ? true : null);
        assertEquals(before, counter.callsWhenQuiet(), "calls of a listener whose subscription is closed");
        client.close();
        int beforeClose = second.callsWhenQuiet();
        WakeUpCounter third = new WakeUpCounter(outbox.open());
        outbox.commit(TOPIC, 0, "3");
        outbox.eventually("a wake-up of another client", () -> third.calls() > 0 ? true : null);
        assertEquals(beforeClose, second.callsWhenQuiet(), "calls of a listener whose store is closed");
        second.end();
    }

    private static List<String> pending(Client client) {
        return client.operations().backlog().stream()
                .map(b -> b.topic() + "/" + b.partition() + " " + b.pending())
                .toList();
    }
}
