package dev.outbox.tck;

import static dev.outbox.tck.TestOutbox.TOPIC;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.Browsing;
import dev.outbox.Capability;
import dev.outbox.Finding;
import dev.outbox.Holders;
import dev.outbox.MisuseException;
import dev.outbox.Operations;
import dev.outbox.Operations.Backlog;
import dev.outbox.Operations.FailingPartition;
import dev.outbox.PersistedMessage;
import dev.outbox.WakeUps;
import dev.outbox.spi.BatchOutcomes;
import dev.outbox.tck.internal.spec.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.IntStream;

/** What lists leave out, cut short, or take for the same. */
@AtLevel(Level.CONTRACT)
interface ListingRules {
    /** Topics that some collations take for one. */
    List<String> BY_CASE = List.of("orders", "Orders", "ORDERS");

    @Rule("OBX-OPS-1")
    default void deadLettersAreNoBacklog(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        if (CapabilityRules.isWithoutOperations(client)) {
            return;
        }
        outbox.commit(TOPIC, 0, "dead", "waits", "dead too");
        try (Client.Batch batch = client.await(10)) {
            batch.bury(batch.get(0));
            batch.bury(batch.get(2));
        }
        assertEquals(
                List.of(1L),
                client.operations().backlog().stream().map(Backlog::pending).toList(),
                "the backlog of a partition with two dead letters and one message that waits");
    }

    @Rule("OBX-OPS-2")
    default void allFailingPartitionsAreListed(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        if (CapabilityRules.isWithoutOperations(client)) {
            return;
        }
        int many = 150;
        try (Writer writer = outbox.begin()) {
            writer.writeAll(IntStream.range(0, many)
                    .mapToObj(partition -> TestOutbox.message(TOPIC, partition, "m" + partition))
                    .toList());
            writer.commit();
        }
        Set<Integer> failed = new TreeSet<>();
        outbox.eventually("all partitions are handed out", () -> {
            try (Client.Batch batch = client.checkout(many)) {
                for (PersistedMessage m : batch.messages()) {
                    batch.fail(m, Duration.ofHours(1));
                    failed.add(m.partition());
                }
            }
            return failed.size() == many ? true : null;
        });
        assertEquals(
                List.copyOf(failed),
                client.operations().failingPartitions().stream()
                        .map(FailingPartition::partition)
                        .toList(),
                "failing partitions of " + many + ", in order");
    }

    @Rule("OBX-OPS-2")
    default void namesThatDifferByCaseAreDifferent(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        if (CapabilityRules.isWithoutOperations(client)) {
            return;
        }
        for (String topic : BY_CASE) {
            outbox.commit(topic, 0, "dead " + topic, "failing " + topic, "waits");
            try (Client.Batch batch = client.await(10, topic)) {
                batch.bury(batch.get(0));
                batch.raw().markFailed(batch.get(1), "failed " + topic, Duration.ofHours(1));
            }
        }
        Operations operations = client.operations();
        List<String> sorted = BY_CASE.stream().sorted().toList();
        assertEquals(
                sorted.stream().map(topic -> topic + " 2").toList(),
                operations.backlog().stream()
                        .map(b -> b.topic() + " " + b.pending())
                        .toList(),
                "the backlog");
        assertEquals(
                sorted.stream().map(topic -> topic + " failed " + topic).toList(),
                operations.failingPartitions().stream()
                        .map(f -> f.topic() + " " + f.reason())
                        .toList(),
                "failing partitions");
        for (String topic : BY_CASE) {
            assertEquals(
                    List.of("dead " + topic),
                    operations.deadLetters(topic, null, 10).stream()
                            .map(letter -> TestOutbox.text(letter.message()))
                            .toList(),
                    "dead letters of " + topic);
        }
        assertTrue(operations.retryNow("Orders", 0), "retryNow of one of them");
        assertEquals(
                List.of("failing Orders", "waits"),
                client.publishAll(10, BY_CASE.toArray(String[]::new)),
                "what comes after retryNow of one of them");
    }

    /** A reason is shortened to a thousand characters and not to fewer. */
    @Rule("OBX-RETRY-6")
    default void aReasonOfAThousandCharactersIsKept(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        if (CapabilityRules.isWithoutOperations(client)) {
            return;
        }
        int most = BatchOutcomes.MAX_REASON_LENGTH;
        List<String> reasons = new ArrayList<>();
        for (int length : new int[] {most - 1, most, most + 1}) {
            for (String character : List.of("x", "\u00e9", "\ud83d\udc1d")) {
                reasons.add(character.repeat(length));
            }
        }
        for (int i = 0; i < reasons.size(); i++) {
            outbox.commit(TOPIC, i, "dead", "failed");
        }
        List<String> dead = new ArrayList<>();
        try (Client.Batch batch = client.await(100)) {
            for (PersistedMessage m : batch.messages()) {
                String reason = reasons.get(m.partition());
                if (TestOutbox.text(m).equals("dead")) {
                    batch.raw().deadLetter(m, reason);
                    dead.add(m.id());
                } else {
                    batch.raw().markFailed(m, reason, Duration.ofHours(1));
                }
            }
        }
        List<String> kept = reasons.stream()
                .map(reason -> reason.substring(0, reason.offsetByCodePoints(0, Math.min(most, length(reason)))))
                .toList();
        assertEquals(
                kept,
                client.operations().failingPartitions().stream()
                        .map(FailingPartition::reason)
                        .toList(),
                "reasons of failing partitions");
        for (String id : dead) {
            var letter = client.operations().deadLetter(id).orElseThrow();
            assertEquals(kept.get(letter.message().partition()), letter.reason(), "the reason of a dead letter");
        }
    }

    private static int length(String text) {
        return text.codePointCount(0, text.length());
    }

    /** More than fits into a byte. */
    @Rule("OBX-RETRY-1")
    default void manyFailuresAreCounted(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        outbox.commit(TOPIC, 0, "m");
        for (int attempts = 0; attempts <= 300; attempts++) {
            try (Client.Batch batch = client.await(1)) {
                assertEquals(attempts, batch.get(0).attempts(), "attempts of a message that failed so often");
                batch.fail(batch.get(0), Duration.ZERO);
            }
        }
    }

    @Rule("OBX-RETRY-2")
    default void anOlderMessageThatWasReleasedComesFirst(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        outbox.commit(TOPIC, 0, "released", "failed", "behind");
        long closing;
        try (Client.Batch batch = client.await(10)) {
            batch.fail(batch.get(1), Duration.ofMillis(400));
            closing = System.nanoTime();
        }
        client.expectNothingBefore(
                closing + Duration.ofMillis(300).toNanos(), "the partition waits, and what was released with it");
        try (Client.Batch batch = client.await(10)) {
            assertEquals(List.of("released", "failed", "behind"), batch.texts(), "the partition after its delay");
            assertEquals(
                    List.of(0, 1, 0),
                    batch.messages().stream().map(PersistedMessage::attempts).toList(),
                    "their attempts");
        }
    }

    /** One thread at a time uses a batch, and not always the same. */
    @Rule("OBX-CLOSE-3")
    default void aBatchGoesFromThreadToThread(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        outbox.commit(TOPIC, 0, "published", "dead", "released");
        Client.Batch batch = outbox.promptly("A checkout on another thread", () -> client.await(10));
        outbox.promptly("Marks on another thread", () -> {
            batch.publish(batch.get(0));
            return true;
        });
        assertTrue(outbox.promptly("A question on another thread", batch::isHeld), "the batch is held");
        batch.bury(batch.get(1));
        for (int i = 0; i < 2; i++) {
            outbox.promptly("A close on another thread", () -> {
                batch.close();
                return true;
            });
        }
        assertEquals(List.of("released"), outbox.open().publishAll(10), "what is left after the close");
    }

    @Rule("OBX-LIFE-4")
    default void aClosedStoreAnswersNothing(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        outbox.commit(TOPIC, 0, "1");
        assertEquals(List.of("1"), client.publishAll(10), "messages before it is closed");
        Operations operations = CapabilityRules.isWithoutOperations(client) ? null : client.operations();
        Browsing browsing = TestOutbox.has(client, Capability.BROWSING) ? client.browsing() : null;
        Finding finding = TestOutbox.has(client, Capability.FINDING) ? client.finding() : null;
        Holders holders = TestOutbox.has(client, Capability.HOLDERS) ? client.holders() : null;
        WakeUps wakeUps = TestOutbox.has(client, Capability.WAKE_UP) ? WakeUps.of(client.store()) : null;
        client.close();
        if (operations != null) {
            assertRefused("backlog", operations::backlog);
            assertRefused("failingPartitions", operations::failingPartitions);
            assertRefused("retryNow", () -> operations.retryNow(TOPIC, 0));
            assertRefused("retryNow of a topic", () -> operations.retryNow(TOPIC));
            assertRefused("removePending", () -> operations.removePending(TOPIC, 1));
            assertRefused("movePending", () -> operations.movePending(TOPIC, "others", 1, 1));
            assertRefused("deadLetterTopics", operations::deadLetterTopics);
            assertRefused("deadLetters", () -> operations.deadLetters(TOPIC, null, 1));
            assertRefused("deadLetter", () -> operations.deadLetter("1"));
            assertRefused("redrive", () -> operations.redrive(Set.of("1")));
            assertRefused("discard", () -> operations.discard(Set.of("1")));
        }
        if (browsing != null) {
            assertRefused("pending of a topic", () -> browsing.pending(TOPIC, null, null, 1));
        }
        if (finding != null) {
            assertRefused("pending of an id", () -> finding.pending("1"));
        }
        if (holders != null) {
            assertRefused("holders", holders::holders);
        }
        if (wakeUps != null) {
            assertRefused("onWakeUp", () -> wakeUps.onWakeUp(() -> {}));
        }
    }

    private static void assertRefused(String what, Runnable call) {
        assertThrows(MisuseException.class, call::run, what + " of a closed store");
    }
}
