package dev.outbox.tck;

import static dev.outbox.tck.TestOutbox.TOPIC;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.DeadLetter;
import dev.outbox.MisuseException;
import dev.outbox.Operations;
import dev.outbox.OutboxException;
import dev.outbox.OutgoingMessage;
import dev.outbox.PersistedMessage;
import dev.outbox.tck.internal.spec.Level;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.FutureTask;
import java.util.stream.Stream;

/** What is given up leaves its partition, and can be looked at, put back, or thrown away. */
@AtLevel(Level.CONTRACT)
interface DeadLetterRules {
    /** More than one page or part of anything. */
    int MANY = 1_203;

    /** What an operator may paste where an id is asked for. */
    List<String> NO_ONES_IDS = List.of(
            "no such id",
            "",
            "0",
            "-1",
            "12345678901234567890123",
            "0192f0c1-2a3b-7c4d-8e5f-60718293a4b5",
            "0192F0C1-2A3B-7C4D-8E5F-60718293A4B5",
            "\u00e9\ud83d\udc1d",
            "nul \0 and half \ud83d of a pair",
            "' OR ''='",
            "x".repeat(100_000));

    @Rule("OBX-DEAD-1")
    default void aDeadLetterLetsItsPartitionGoOn(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        outbox.commit(TOPIC, 0, "dead", "next");
        try (Client.Batch batch = client.await(1)) {
            batch.bury(batch.get(0));
        }
        assertEquals(List.of("next"), client.publishAll(10), "the next checkout after the head became a dead letter");
        client.expectNothing("a dead letter is not handed out");
        outbox.open().expectNothing("a dead letter is not handed out to new clients");
    }

    @Rule("OBX-DEAD-1")
    default void aDelayEndsWithTheMessageItWasFor(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        outbox.commit(TOPIC, 0, "dead", "next");
        try (Client.Batch batch = client.await(1)) {
            batch.fail(batch.get(0), Duration.ofMillis(100));
        }
        try (Client.Batch batch = client.await(1)) {
            assertEquals(1, batch.get(0).attempts(), "attempts after the first failure");
            batch.bury(batch.get(0));
        }
        assertEquals(List.of("next"), client.publishAll(10), "the next checkout after the head became a dead letter");
    }

    @Rule("OBX-DEAD-2")
    default void deadLettersCanBeRead(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        if (CapabilityRules.isWithoutOperations(client)) {
            return;
        }
        byte[] payload = {0, 1, -1, 127, -128};
        String id = outbox.commit(
                new OutgoingMessage(TOPIC, 7, "key \u00e9", Map.of("trace", "\ud83d\udc1d", "empty", ""), payload));
        try (Client.Batch batch = client.await(10)) {
            batch.fail(batch.get(0), Duration.ZERO);
        }
        try (Client.Batch batch = client.await(10)) {
            batch.raw().deadLetter(batch.get(0), "no such order");
        }
        Client other = outbox.open();
        Optional<DeadLetter> found = other.operations().deadLetter(id);
        assertTrue(found.isPresent(), "the dead letter is found by its id, by another client");
        DeadLetter letter = found.get();
        assertEquals(id, letter.message().id(), "its id");
        assertEquals(TOPIC, letter.message().topic(), "its topic");
        assertEquals(7, letter.message().partition(), "its partition");
        assertEquals("key \u00e9", letter.message().key(), "its key");
        assertEquals(
                Map.of("trace", "\ud83d\udc1d", "empty", ""), letter.message().headers(), "its headers");
        assertArrayEquals(payload, letter.message().payload(), "its payload");
        assertEquals(2, letter.message().attempts(), "its attempts, after one failure and being given up");
        assertEquals("no such order", letter.reason(), "its reason");
        assertFalse(letter.diedAt().isBefore(letter.message().createdAt()), "it died before it was created");
        for (String text : NO_ONES_IDS) {
            assertEquals(Optional.empty(), other.operations().deadLetter(text), "a dead letter that is not there");
        }
    }

    @Rule("OBX-DEAD-2")
    default void deadLettersComePageByPageInTheOrderTheyDied(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        if (CapabilityRules.isWithoutOperations(client)) {
            return;
        }
        List<String> died = new ArrayList<>();
        for (int partition : new int[] {2, 0, 1}) {
            died.addAll(outbox.commit(TOPIC, partition, "a", "b"));
            bury(client, TOPIC, 2);
        }
        outbox.commit("bills", 0, "of another topic");
        bury(client, "bills", 1);
        Operations operations = client.operations();
        List<String> listed = new ArrayList<>();
        String after = null;
        while (true) {
            List<DeadLetter> page = operations.deadLetters(TOPIC, after, 4);
            if (page.isEmpty()) {
                break;
            }
            assertTrue(page.size() <= 4, "a page of 4 has " + page.size());
            page.forEach(letter -> listed.add(letter.message().id()));
            after = listed.get(listed.size() - 1);
            assertTrue(listed.size() <= died.size(), "pages go on and on: " + listed);
        }
        assertEquals(died, listed, "dead letters of the topic over all pages");
        for (String text : NO_ONES_IDS) {
            assertThrows(MisuseException.class, () -> operations.deadLetters(TOPIC, text, 4), "a page behind nothing");
        }
        assertThrows(MisuseException.class, () -> operations.deadLetters(TOPIC, null, 0), "a page of no size");
        assertEquals(List.of(), operations.deadLetters("unknown", null, 10), "dead letters of an unknown topic");
    }

    @Rule("OBX-DEAD-3")
    default void redrivenMessagesComeAgainAtTheEnd(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        if (CapabilityRules.isWithoutOperations(client)) {
            return;
        }
        // Of known order, so that neither it nor that of dying is the one that is asked for.
        List<String> ids = new ArrayList<>();
        try (Writer writer = outbox.begin()) {
            for (String text : List.of("1", "2", "3")) {
                ids.add(writer.write(new OutgoingMessage(
                        "00000000-0000-7000-8000-00000000000" + text,
                        TOPIC,
                        0,
                        null,
                        Map.of(),
                        text.getBytes(StandardCharsets.UTF_8))));
            }
            writer.commit();
        }
        bury(client, TOPIC, 3);
        String waiting = outbox.commit(TOPIC, 0, "waiting").get(0);
        int redriven = client.operations().redrive(Arrays.asList(ids.get(2), "no such id", ids.get(0), ids.get(2)));
        assertEquals(2, redriven, "how many were redriven, of two dead letters, one twice, and one unknown id");
        outbox.commit(TOPIC, 0, "new");
        try (Client.Batch batch = client.await(10)) {
            assertEquals(List.of("waiting", "3", "1", "new"), batch.texts(), "the partition after the redrive");
            assertEquals(
                    List.of(waiting, ids.get(2), ids.get(0)), batch.ids().subList(0, 3), "ids, the same as before");
            assertTrue(batch.messages().stream().allMatch(m -> m.attempts() == 0), "no attempts are counted any more");
            batch.publishAll();
        }
        assertEquals(Optional.empty(), client.operations().deadLetter(ids.get(0)), "the dead letter that was redriven");
        assertTrue(client.operations().deadLetter(ids.get(1)).isPresent(), "the other dead letter is still there");
        assertEquals(0, client.operations().redrive(Set.of(ids.get(0))), "redriving what was published since");
        assertEquals(0, client.operations().redrive(NO_ONES_IDS), "redriving texts that are no ids");
        client.expectNothing("all was settled");
    }

    /** More than a backend may do in one step: they still come in the order given, each once. */
    @Rule("OBX-DEAD-3")
    default void manyAreRedrivenInTheOrderGiven(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        if (CapabilityRules.isWithoutOperations(client)) {
            return;
        }
        List<String> ids = new ArrayList<>(buryMany(outbox, client));
        Collections.shuffle(ids, new Random(outbox.seed()));
        List<String> given = new ArrayList<>(ids);
        given.addAll(ids.subList(0, 700)); // once more, and to be passed over
        assertEquals(MANY, client.operations().redrive(given), "how many were redriven");
        List<String> came = new ArrayList<>();
        outbox.eventually("all that were redriven come", () -> {
            try (Client.Batch batch = client.checkout(1_000)) {
                came.addAll(batch.ids());
                batch.publishAll();
            }
            return came.size() >= MANY ? true : null;
        });
        assertEquals(ids, came, "ids in the order in which they were given");
        client.expectNothing("all was settled");
        assertEquals(List.of(), client.operations().deadLetters(TOPIC, null, 10), "dead letters that are left");
    }

    @Rule("OBX-DEAD-4")
    default void manyAreDiscarded(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        if (CapabilityRules.isWithoutOperations(client)) {
            return;
        }
        List<String> ids = buryMany(outbox, client);
        String kept = ids.get(MANY / 2);
        List<String> given = ids.stream().filter(id -> !id.equals(kept)).toList();
        assertEquals(MANY - 1, client.operations().discard(given), "how many were discarded");
        assertEquals(
                List.of(kept),
                client.operations().deadLetters(TOPIC, null, 10).stream()
                        .map(letter -> letter.message().id())
                        .toList(),
                "the dead letter that is left");
        client.expectNothing("dead letters do not come again");
    }

    /** Returns their ids, in the order in which they were given up. */
    private static List<String> buryMany(TestOutbox outbox, Client client) throws Exception {
        try (Writer writer = outbox.begin()) {
            writer.writeAll(Stream.generate(() -> TestOutbox.message(TOPIC, 0, "dead"))
                    .limit(MANY)
                    .toList());
            writer.commit();
        }
        List<String> buried = new ArrayList<>();
        outbox.eventually("all are given up", () -> {
            try (Client.Batch batch = client.checkout(1_000)) {
                batch.messages().forEach(m -> batch.raw().deadLetter(m, "cannot be read"));
                buried.addAll(batch.ids());
            }
            return buried.size() >= MANY ? true : null;
        });
        return buried;
    }

    @Rule("OBX-DEAD-3")
    default void aRedrivenMessageCanDieAgain(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        if (CapabilityRules.isWithoutOperations(client)) {
            return;
        }
        String id = outbox.commit(TOPIC, 0, "1").get(0);
        for (int i = 0; i < 3; i++) {
            bury(client, TOPIC, 1);
            assertEquals(
                    List.of(id),
                    client.operations().deadLetters(TOPIC, null, 10).stream()
                            .map(letter -> letter.message().id())
                            .toList(),
                    "dead letters, round " + i);
            assertEquals(1, client.operations().redrive(List.of(id)), "redriven in round " + i);
        }
        outbox.drain(client, Set.of("1"));
    }

    @Rule("OBX-DEAD-3")
    default void twoOperatorsRedriveNothingTwice(TestOutbox outbox) throws Exception {
        Client one = outbox.open();
        Client two = outbox.open();
        if (CapabilityRules.isWithoutOperations(one)) {
            return;
        }
        for (int round = 0; round < 5; round++) {
            String[] texts = new String[20];
            Arrays.setAll(texts, i -> "m" + i);
            List<String> ids = outbox.commit(TOPIC, 0, texts);
            bury(one, TOPIC, 20);
            CyclicBarrier together = new CyclicBarrier(2);
            FutureTask<Integer> first = redrive(together, one, ids);
            FutureTask<Integer> second = redrive(together, two, ids);
            assertEquals(20, first.get() + second.get(), "how many both redrove together, of 20");
            assertEquals(20, outbox.drain(one, Set.of(texts)).size(), "messages after two redrives at a time");
            two.expectNothing("all was settled");
        }
    }

    @Rule("OBX-ID-2")
    default void anIdThatIsThereTwiceHindersNothing(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        OutgoingMessage message = TestOutbox.message(TOPIC, 0, "twice");
        outbox.commit(TOPIC, 0, "before");
        int there = persistedAgain(outbox, message) + persistedAgain(outbox, message);
        outbox.commit(TOPIC, 0, "behind");
        try (Client.Batch batch = client.await(there + 2)) {
            for (PersistedMessage each : batch.messages()) {
                if (TestOutbox.text(each).equals("twice")) {
                    batch.bury(each);
                } else {
                    batch.publish(each);
                }
            }
        }
        assertEquals(List.of(), client.publishAll(10), "what is left after all was settled");
        // And once more while there is a dead letter of that id.
        there = persistedAgain(outbox, message);
        outbox.commit(TOPIC, 0, "at last");
        try (Client.Batch batch = client.await(there + 1)) {
            batch.messages().forEach(batch::bury);
        }
        client.expectNothing("all was given up");
    }

    /** A store may refuse a message whose id is there already. */
    private static int persistedAgain(TestOutbox outbox, OutgoingMessage message) throws Exception {
        try (Writer writer = outbox.begin()) {
            try {
                writer.write(message);
            } catch (OutboxException e) {
                outbox.record("persisting " + message.id() + " once more was refused: " + e.getMessage());
                writer.rollback();
                return 0;
            }
            writer.commit();
            return 1;
        }
    }

    @Rule("OBX-DEAD-4")
    default void discardedMessagesAreGone(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        if (CapabilityRules.isWithoutOperations(client)) {
            return;
        }
        List<String> ids = outbox.commit(TOPIC, 0, "1", "2", "3");
        bury(client, TOPIC, 2);
        Operations operations = client.operations();
        assertEquals(
                1,
                operations.discard(Arrays.asList(ids.get(0), "no such id", ids.get(2))),
                "how many were discarded, of a dead letter, an unknown id, and a message that is not dead");
        assertEquals(Optional.empty(), operations.deadLetter(ids.get(0)), "the dead letter that was discarded");
        assertTrue(operations.deadLetter(ids.get(1)).isPresent(), "the other dead letter is still there");
        assertEquals(0, operations.redrive(List.of(ids.get(0))), "redriving what was discarded");
        assertEquals(0, operations.discard(List.of()), "discarding nothing");
        assertEquals(0, operations.discard(NO_ONES_IDS), "discarding texts that are no ids");
        outbox.drain(client, Set.of("3"));
    }

    private static FutureTask<Integer> redrive(CyclicBarrier together, Client client, List<String> ids) {
        FutureTask<Integer> task = new FutureTask<>(() -> {
            together.await();
            return client.operations().redrive(ids);
        });
        new Thread(task, "tck-operator").start();
        return task;
    }

    private static void bury(Client client, String topic, int expected) throws Exception {
        try (Client.Batch batch = client.await(expected, topic)) {
            assertEquals(expected, batch.messages().size(), "messages to give up: " + batch.texts());
            batch.messages().forEach(batch::bury);
        }
    }
}
