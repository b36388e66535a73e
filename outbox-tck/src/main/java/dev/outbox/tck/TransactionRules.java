package dev.outbox.tck;

import static dev.outbox.tck.TestOutbox.TOPIC;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.OutgoingMessage;
import dev.outbox.tck.internal.spec.Level;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;

/** A message exists when, and only when, its transaction commits. */
@AtLevel(Level.CONTRACT)
interface TransactionRules {
    @Rule("OBX-TX-1")
    default void aCommittedMessageIsDelivered(TestOutbox outbox) throws Exception {
        String id = outbox.commit(TOPIC, 0, "one").get(0);
        try (Client.Batch batch = outbox.open().await(10)) {
            assertEquals(List.of("one"), batch.texts(), "messages after one was committed");
            assertEquals(id, batch.get(0).id(), "its id");
        }
    }

    @Rule("OBX-TX-1")
    default void aTransactionThatIsRolledBackLeavesNothing(TestOutbox outbox) throws Exception {
        try (Writer writer = outbox.begin()) {
            writer.write(TOPIC, 0, "rolled back");
            writer.rollback();
        }
        try (Writer writer = outbox.begin()) {
            writer.write(TOPIC, 0, "closed without commit");
        }
        Client client = outbox.open();
        client.expectNothing("both transactions were rolled back");
        outbox.commit(TOPIC, 0, "committed");
        assertEquals(List.of("committed"), outbox.drain(client, Set.of("committed")), "all that was ever delivered");
    }

    @Rule("OBX-TX-1")
    default void theMessagesOfATransactionAppearTogether(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        try (Writer writer = outbox.begin()) {
            writer.write("orders", 0, "order");
            writer.write("bills", 0, "bill");
            writer.write("orders", 3, "other order");
            assertSeenWithTheCommit(client, writer);
        }
    }

    @Rule("OBX-TX-1")
    default void whatIsWrittenByOneCallIsOfTheTransactionToo(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        try (Writer writer = outbox.begin()) {
            writer.writeAll(List.of(TestOutbox.message(TOPIC, 0, "rolled"), TestOutbox.message(TOPIC, 1, "back")));
            writer.rollback();
        }
        try (Writer writer = outbox.begin()) {
            writer.writeAll(List.of());
            writer.writeAll(List.of(
                    TestOutbox.message("orders", 0, "order"),
                    TestOutbox.message("bills", 0, "bill"),
                    TestOutbox.message("orders", 3, "other order")));
            assertSeenWithTheCommit(client, writer);
        }
    }

    @Rule("OBX-TX-1")
    default void interleavedTransactionsDecideForThemselves(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        try (Writer a = outbox.begin();
                Writer b = outbox.begin();
                Writer c = outbox.begin()) {
            a.write(TOPIC, 0, "a1");
            b.write(TOPIC, 0, "b1");
            c.write(TOPIC, 1, "c1");
            a.write(TOPIC, 1, "a2");
            b.write(TOPIC, 2, "b2");
            c.write(TOPIC, 0, "c2");
            c.commit();
            b.rollback();
            a.commit();
        }
        List<String> delivered = outbox.drain(client, Set.of("a1", "a2", "c1", "c2"));
        assertEquals(4, delivered.size(), "messages delivered, those of the rolled back one left out: " + delivered);
        client.expectNothing("the rest was rolled back");
    }

    @Rule("OBX-TX-2")
    default void anOpenTransactionIsNotSeenAndHindersNobody(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        try (Writer open = outbox.begin()) {
            open.write(TOPIC, 0, "uncommitted");
            outbox.commit(TOPIC, 1, "committed");
            List<String> seen = outbox.promptly("A checkout beside an open transaction", () -> client.publishAll(10));
            assertEquals(List.of("committed"), seen, "what is seen beside an open transaction");
            client.expectNothing("all that was committed is settled");
        }
    }

    @Rule("OBX-TX-3")
    default void whatWasCommittedBeforeACheckoutIsInIt(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        client.expectNothing("nothing was written yet");
        for (int i = 0; i < 30; i++) {
            String text = "message " + i;
            outbox.commit(TOPIC, i % 3, text);
            assertEquals(
                    List.of(text),
                    client.publishAll(10),
                    "what a single checkout found right after a commit, round " + i);
        }
    }

    @Rule("OBX-TX-3")
    default void aPartitionThatIsKnownHidesNoOther(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        List<Writer> writers = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            writers.add(outbox.begin()); // so that rounds are quick: a store may look around every now and then
        }
        for (int i = 0; i < writers.size(); i++) {
            writers.get(i).write(TOPIC, 0, "known " + i);
            writers.get(i).write(TOPIC, i + 1, "new " + i);
            writers.get(i).commit();
            Set<String> seen = new HashSet<>(client.publishAll(100));
            assertTrue(
                    seen.containsAll(Set.of("known " + i, "new " + i)),
                    "a single checkout after a commit to a partition that is always there and to a new one, round " + i
                            + ", found " + seen);
        }
    }

    @Rule("OBX-TX-4")
    default void aMessageCommittedLateIsDeliveredLate(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        outbox.commit(TOPIC, 0, "first");
        outbox.drain(client, Set.of("first"));
        try (Writer late = outbox.begin()) {
            late.write(TOPIC, 0, "late");
            Set<String> later = new HashSet<>();
            for (int i = 0; i < 5; i++) {
                outbox.commit(TOPIC, 0, "later " + i);
                later.add("later " + i);
            }
            // A store that keeps commit order makes them wait for the open transaction: both ways are right.
            long end = System.nanoTime() + Duration.ofSeconds(1).toNanos();
            while (!later.isEmpty() && System.nanoTime() < end) {
                client.publishAll(2).forEach(later::remove);
                TestOutbox.pause();
            }
            late.commit();
            Set<String> missing = new HashSet<>(later);
            missing.add("late");
            outbox.commit(TOPIC, 0, "last");
            missing.add("last");
            outbox.drain(client, missing);
        }
        client.expectNothing("all was settled");
    }

    @Rule("OBX-TX-4")
    default void aMessageCommittedDuringABatchSurvivesItsClose(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        try (Writer late = outbox.begin();
                Writer early = outbox.begin()) {
            late.write(TOPIC, 0, "late");
            early.write(TOPIC, 0, "early 1");
            early.write(TOPIC, 0, "early 2");
            early.commit();
            long end = System.nanoTime() + Duration.ofSeconds(1).toNanos();
            Client.Batch batch = client.checkout(10);
            while (batch.messages().isEmpty() && System.nanoTime() < end) {
                batch.close();
                batch = client.checkout(10);
            }
            // Its position is lower than those in the batch, and the batch has never read it.
            late.commit();
            Set<String> missing = new HashSet<>(Set.of("late", "early 1", "early 2"));
            missing.removeAll(batch.texts());
            batch.publishAll();
            batch.close();
            assertTrue(missing.contains("late"), "the late message was read before it was committed");
            outbox.drain(client, missing);
        }
        client.expectNothing("all was settled");
    }

    @Rule("OBX-TX-5")
    default void writingDoesNotWaitForBatches(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        outbox.commit(TOPIC, 0, "held");
        try (Client.Batch batch = client.await(10)) {
            outbox.promptly("A commit beside an open batch", () -> outbox.commit(TOPIC, 0, "written meanwhile"));
            batch.publishAll();
        }
        assertEquals(List.of("written meanwhile"), client.publishAll(10), "what is left after the batch was closed");
    }

    @Rule("OBX-ID-1")
    default void theIdIsThatOfTheOutgoingMessage(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        Map<String, String> given = new HashMap<>();
        try (Writer writer = outbox.begin()) {
            // Not in the order of their positions, which are the server's.
            for (String id : List.of(
                    "ffffffff-ffff-ffff-ffff-ffffffffffff",
                    "00000000-0000-0000-0000-000000000000",
                    "0192f0c1-2a3b-7c4d-8e5f-60718293a4b5",
                    "00000000-0000-0000-0000-000000000001",
                    UUID.randomUUID().toString())) {
                String text = "message " + given.size();
                byte[] payload = text.getBytes(StandardCharsets.UTF_8);
                String returned =
                        writer.write(new OutgoingMessage(id, TOPIC, given.size() % 2, null, Map.of(), payload));
                assertEquals(id, returned, "what persist returned for the message of that id");
                given.put(id, text);
            }
            writer.commit();
        }
        for (Client each : List.of(client, outbox.open())) {
            try (Client.Batch batch = each.await(10)) {
                Map<String, String> came = new HashMap<>();
                batch.messages().forEach(m -> came.put(m.id(), TestOutbox.text(m)));
                assertEquals(given, came, "texts by the ids that were delivered");
            }
        }
    }

    @Rule("OBX-ID-1")
    default void anIdIsUniqueAndStays(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        Set<String> ids = new HashSet<>();
        for (int i = 0; i < 5; i++) {
            ids.addAll(outbox.commit("orders", i % 2, "order", "order"));
            ids.addAll(outbox.commit("bills", i % 2, "bill", "bill"));
        }
        assertEquals(20, ids.size(), "different ids of 20 messages on two topics: " + ids);
        for (int round = 0; round < 3; round++) {
            try (Client.Batch batch = client.await(100, "orders", "bills")) {
                assertEquals(ids, new HashSet<>(batch.ids()), "ids in delivery " + (round + 1));
                if (round > 0) {
                    batch.messages().forEach(m -> batch.fail(m, Duration.ZERO));
                }
            }
        }
        Client other = outbox.open();
        try (Client.Batch batch = other.await(100, "orders", "bills")) {
            assertEquals(ids, new HashSet<>(batch.ids()), "ids delivered to another client");
        }
    }

    @Rule("OBX-ID-1")
    default void everyMessageOfACallHasItsOwnId(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        List<OutgoingMessage> messages = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            messages.add(TestOutbox.message(TOPIC, i % 3, "message " + i));
        }
        Map<String, String> expected = new HashMap<>();
        try (Writer writer = outbox.begin()) {
            List<String> ids = writer.writeAll(messages);
            assertEquals(messages.stream().map(OutgoingMessage::id).toList(), ids, "ids that were returned");
            for (int i = 0; i < ids.size(); i++) {
                expected.put(ids.get(i), TestOutbox.text(messages.get(i)));
            }
            writer.commit();
        }
        Map<String, String> came = new HashMap<>();
        while (came.size() < messages.size()) {
            try (Client.Batch batch = client.await(100)) {
                batch.messages().forEach(m -> came.put(m.id(), TestOutbox.text(m)));
                batch.publishAll();
            }
        }
        assertEquals(expected, came, "texts by id");
    }

    private static void assertSeenWithTheCommit(Client client, Writer writer) throws Exception {
        client.expectNothing("the transaction is open", "orders", "bills");
        writer.commit();
        try (Client.Batch batch = client.checkout(10, "orders", "bills")) {
            assertEquals(
                    Set.of("order", "bill", "other order"),
                    new HashSet<>(batch.texts()),
                    "messages in the first checkout after the commit");
        }
    }
}
