package dev.outbox.tck;

import static dev.outbox.tck.TestOutbox.TOPIC;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.Browsing;
import dev.outbox.Browsing.Page;
import dev.outbox.Capability;
import dev.outbox.Finding;
import dev.outbox.MisuseException;
import dev.outbox.OutgoingMessage;
import dev.outbox.PendingMessage;
import dev.outbox.PersistedMessage;
import dev.outbox.tck.internal.spec.Level;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Messages that wait can be looked at, all of a topic or one by its id, and nothing comes of looking. */
@AtLevel(Level.CONTRACT)
interface BrowsingRules {
    /** A payload of 1 MiB, which no store refuses. */
    int LARGE = 1 << 20;

    @Rule("OBX-BROWSE-1")
    default void pendingMessagesAreListed(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        if (CapabilityRules.isWithout(client, Capability.BROWSING)) {
            return;
        }
        byte[] payload = {0, 1, -1, 127, -128};
        Map<String, String> headers = Map.of("trace", "\ud83d\udc1d", "empty", "");
        String poison = outbox.commit(new OutgoingMessage(TOPIC, 2, "key \u00e9", headers, payload));
        try (Client.Batch batch = client.await(1)) {
            batch.fail(batch.get(0), Duration.ofHours(1));
        }
        List<String> after = outbox.commit(TOPIC, 2, "after it");
        outbox.commit(TOPIC, 0, "dead");
        try (Client.Batch batch = client.await(1)) {
            batch.bury(batch.get(0));
        }
        List<String> ids = new ArrayList<>(outbox.commit(TOPIC, 0, "a", "b"));
        ids.add(poison);
        ids.addAll(after);
        ids.addAll(outbox.commit(TOPIC, 10, "c"));
        outbox.commit("Orders", 0, "of another topic");
        Client other = outbox.open();
        try (Client.Batch held = client.await(10)) {
            List<PendingMessage> listed = all(outbox, other, TOPIC, null, 2);
            assertEquals(ids, ids(listed), "messages of the topic, while a batch has " + held.texts());
            PendingMessage failing = listed.get(2);
            assertSameMessage(failing.message(), poison, "key \u00e9", headers, payload);
            assertEquals(1, failing.message().attempts(), "attempts of the message that failed");
            assertEquals("broker is away", failing.reason(), "the reason of the message that failed");
            Instant next = failing.nextAttempt();
            assertNotNull(next, "the next attempt of the message that failed");
            assertTrue(
                    Duration.between(failing.message().createdAt(), next).compareTo(Duration.ofMinutes(59)) > 0,
                    "it failed for an hour, and is to be tried at " + next);
            assertEquals(
                    new PendingMessage(listed.get(3).message(), null, next), listed.get(3), "the message after it");
            for (int i : new int[] {0, 1, 4}) {
                assertEquals(
                        new PendingMessage(listed.get(i).message(), null, null),
                        listed.get(i),
                        "a message of a partition that does not fail");
                assertEquals(0, listed.get(i).message().attempts(), "its attempts");
            }
        }
        assertEquals(ids, ids(all(outbox, other, TOPIC, null, 100)), "the same on one page, when no batch is open");
        assertEquals(ids.subList(2, 4), ids(all(outbox, other, TOPIC, 2, 1)), "messages of partition 2");
        for (int partition : new int[] {1, 7, Integer.MAX_VALUE}) {
            assertEquals(List.of(), all(outbox, other, TOPIC, partition, 1), "messages of an empty partition");
        }
        assertEquals(List.of(), all(outbox, other, "unknown", null, 1), "messages of an unknown topic");
    }

    @Rule("OBX-BROWSE-1")
    default void whatIsNotCommittedIsNotListed(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        if (CapabilityRules.isWithout(client, Capability.BROWSING)) {
            return;
        }
        List<String> there = outbox.commit(TOPIC, 0, "there");
        try (Writer undone = outbox.begin()) {
            undone.write(TOPIC, 0, "undone");
            assertEquals(there, ids(all(outbox, client, TOPIC, null, 10)), "while a transaction is open");
            undone.rollback();
        }
        assertEquals(there, ids(all(outbox, client, TOPIC, null, 10)), "after a transaction was rolled back");
        try (Writer writer = outbox.begin()) {
            List<String> both = new ArrayList<>(there);
            both.add(writer.write(TOPIC, 0, "done"));
            assertEquals(there, ids(all(outbox, client, TOPIC, null, 10)), "before the commit");
            writer.commit();
            assertEquals(both, ids(all(outbox, client, TOPIC, null, 10)), "after the commit");
        }
    }

    @Rule("OBX-BROWSE-2")
    default void pagesGoOnWhileMessagesComeAndGo(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        if (CapabilityRules.isWithout(client, Capability.BROWSING)) {
            return;
        }
        List<String> left = new ArrayList<>();
        for (int partition = 0; partition < 3; partition++) {
            left.addAll(outbox.commit(
                    TOPIC,
                    partition,
                    IntStream.range(0, 20).mapToObj(i -> "m" + i).toArray(String[]::new)));
        }
        Client reader = outbox.open();
        Page first = page(outbox, reader, TOPIC, null, null, 7);
        List<String> seen = ids(first.messages());
        assertEquals(left.subList(0, 7), seen, "the first page of 7");
        try (Client.Batch batch = client.await(30)) {
            for (PersistedMessage m : batch.messages()) {
                if (!TestOutbox.text(m).equals("m0")) { // which stays, before the end of the first page
                    batch.publish(m);
                    left.remove(m.id());
                }
            }
        }
        outbox.commit(TOPIC, 0, "new");
        outbox.commit(TOPIC, 1, "new");
        outbox.commit(TOPIC, 3, "new");
        List<String> rest = new ArrayList<>(seen);
        String next = first.next();
        while (next != null) {
            Page page = page(outbox, reader, TOPIC, null, next, 7);
            rest.addAll(ids(page.messages()));
            next = page.next();
        }
        assertEquals(rest.stream().distinct().toList(), rest, "no message is on two pages");
        left.removeAll(seen);
        List<String> stayed = rest.stream().filter(left::contains).toList();
        assertEquals(left, stayed, "messages that waited all the time, on the pages after the first");
    }

    @Rule("OBX-BROWSE-2")
    default void aLateCommitShiftsNoPage(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        if (CapabilityRules.isWithout(client, Capability.BROWSING)) {
            return;
        }
        try (Writer late = outbox.begin()) {
            late.write(TOPIC, 0, "late");
            List<String> ids = outbox.commit(TOPIC, 0, "1", "2", "3", "4", "5", "6");
            Page first = page(outbox, client, TOPIC, null, null, 3);
            assertEquals(ids.subList(0, 3), ids(first.messages()), "the first page");
            late.commit();
            Page second = page(outbox, client, TOPIC, null, first.next(), 3);
            assertEquals(
                    ids.subList(3, 6),
                    ids(second.messages()).stream().filter(ids::contains).toList(),
                    "the second page, after an older message was committed");
        }
    }

    /** More than a backend may read in one step. */
    @Rule("OBX-BROWSE-2")
    default void manyAreListedToTheEnd(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        if (CapabilityRules.isWithout(client, Capability.BROWSING)) {
            return;
        }
        int many = DeadLetterRules.MANY;
        List<String> texts = IntStream.range(0, many).mapToObj(i -> "m" + i).toList();
        try (Writer writer = outbox.begin()) {
            writer.writeAll(IntStream.range(0, many)
                    .mapToObj(i -> TestOutbox.message(TOPIC, i / 2, texts.get(i)))
                    .toList());
            writer.commit();
        }
        for (int limit : new int[] {100, 1_000, Integer.MAX_VALUE}) {
            assertEquals(
                    texts,
                    all(outbox, client, TOPIC, null, limit).stream()
                            .map(each -> TestOutbox.text(each.message()))
                            .toList(),
                    "messages of two to a partition, in pages of " + limit);
        }
    }

    /** Nothing foretells that messages are large. */
    @Rule("OBX-BROWSE-2")
    default void largeMessagesEndAPage(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        if (CapabilityRules.isWithout(client, Capability.BROWSING)) {
            return;
        }
        List<String> ids = new ArrayList<>(outbox.commit(TOPIC, 0, "1", "2", "3", "4", "5"));
        byte[] large = new byte[LARGE];
        try (Writer writer = outbox.begin()) {
            for (int i = 0; i < 18; i++) {
                ids.add(writer.write(new OutgoingMessage(TOPIC, i / 9, null, Map.of(), large)));
            }
            writer.commit();
        }
        List<String> listed = new ArrayList<>();
        String next = null;
        do {
            Page page = page(outbox, client, TOPIC, null, next, 1_000);
            List<PendingMessage> messages = page.messages();
            long bytes = messages.stream()
                    .limit(Math.max(0, messages.size() - 1))
                    .mapToLong(each -> each.message().payload().length)
                    .sum();
            assertTrue(bytes <= 16 * LARGE, "a page has " + bytes + " bytes of payloads, and one message more");
            listed.addAll(ids(messages));
            next = page.next();
        } while (next != null);
        assertEquals(ids, listed, "messages on all pages");
    }

    @Rule("OBX-BROWSE-2")
    default void pagesAfterNothingAreRefused(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        if (CapabilityRules.isWithout(client, Capability.BROWSING)) {
            return;
        }
        outbox.commit(TOPIC, 0, "1", "2");
        for (String text : DeadLetterRules.NO_ONES_IDS) {
            assertThrows(
                    MisuseException.class,
                    () -> client.browsing().pending(TOPIC, null, text, 1),
                    "a page after nothing");
        }
        assertThrows(MisuseException.class, () -> client.browsing().pending(TOPIC, null, null, 0), "a page of no size");
        assertEquals(2, all(outbox, client, TOPIC, null, 1).size(), "messages that are there nevertheless");
    }

    @Rule("OBX-BROWSE-3")
    default void listingHoldsNothing(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        if (CapabilityRules.isWithout(client, Capability.BROWSING)) {
            return;
        }
        Client reader = outbox.open();
        outbox.commit(TOPIC, 0, "1", "2");
        outbox.commit(TOPIC, 1, "3");
        for (int i = 0; i < 100; i++) {
            assertEquals(
                    1, page(outbox, reader, TOPIC, null, null, 1).messages().size(), "messages of a page of one");
        }
        try (Client.Batch batch = outbox.promptly("A checkout after a page", () -> client.checkout(10))) {
            assertEquals(List.of("1", "2"), batch.texts(TOPIC, 0), "a checkout of what was on a page");
            assertEquals(List.of("3"), batch.texts(TOPIC, 1), "a checkout of what was not");
            assertTrue(batch.messages().stream().allMatch(m -> m.attempts() == 0), "no attempts were counted");
            assertEquals(3, all(outbox, reader, TOPIC, null, 10).size(), "messages, listed while a batch has them");
            assertTrue(batch.isHeld(), "the batch is held");
            batch.publishAll();
        }
        assertEquals(List.of(), all(outbox, reader, TOPIC, null, 10), "messages that are left");
        try (Writer writer = outbox.begin()) {
            writer.write(TOPIC, 0, "4");
            all(outbox, reader, TOPIC, null, 10);
            outbox.promptly("A commit after a page", () -> {
                writer.commit();
                return true;
            });
        }
        assertEquals(List.of("4"), client.publishAll(10), "what was committed after a page");
    }

    @Rule("OBX-FIND-1")
    default void pendingMessagesAreFound(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        if (CapabilityRules.isWithout(client, Capability.FINDING)) {
            return;
        }
        byte[] payload = {0, 1, -1, 127, -128};
        Map<String, String> headers = Map.of("trace", "\ud83d\udc1d", "empty", "");
        String poison = outbox.commit(new OutgoingMessage(TOPIC, 2, "key \u00e9", headers, payload));
        try (Client.Batch batch = client.await(1)) {
            batch.fail(batch.get(0), Duration.ofHours(1));
        }
        String after = outbox.commit(TOPIC, 2, "after it").get(0);
        List<String> others = outbox.commit(TOPIC, 0, "dead", "published", "held");
        try (Client.Batch batch = client.await(2)) {
            batch.bury(batch.get(0));
            batch.publish(batch.get(1));
        }
        Client other = outbox.open();
        PendingMessage failing = find(outbox, other, poison).orElseThrow(() -> new AssertionError("it is not found"));
        assertSameMessage(failing.message(), poison, "key \u00e9", headers, payload);
        assertEquals(1, failing.message().attempts(), "attempts of the message that failed");
        assertEquals("broker is away", failing.reason(), "the reason of the message that failed");
        assertNotNull(failing.nextAttempt(), "the next attempt of the message that failed");
        PendingMessage waiting = find(outbox, other, after).orElseThrow(() -> new AssertionError("it is not found"));
        assertNull(waiting.reason(), "the reason of the message after it");
        assertEquals(failing.nextAttempt(), waiting.nextAttempt(), "the next attempt of the message after it");
        assertEquals(Optional.empty(), find(outbox, other, others.get(0)), "a dead letter among what waits");
        assertEquals(Optional.empty(), find(outbox, other, others.get(1)), "a message that was published");
        String held = others.get(2);
        try (Client.Batch batch = client.await(10)) {
            assertEquals(List.of("held"), batch.texts(), "the message that is left");
            assertTrue(find(outbox, other, held).isPresent(), "a message of an open batch");
        }
        PendingMessage found = find(outbox, other, held).orElseThrow(() -> new AssertionError("it is not found"));
        assertEquals(new PendingMessage(found.message(), null, null), found, "a message that does not fail");
        assertEquals("held", TestOutbox.text(found.message()), "its text");
        for (String text : DeadLetterRules.NO_ONES_IDS) {
            assertEquals(Optional.empty(), find(outbox, other, text), "a message that is not there");
        }
        try (Writer writer = outbox.begin()) {
            String open = writer.write(TOPIC, 0, "open");
            assertEquals(Optional.empty(), find(outbox, other, open), "a message before its commit");
            writer.rollback();
            assertEquals(Optional.empty(), find(outbox, other, open), "a message that was rolled back");
        }
    }

    private static Optional<PendingMessage> find(TestOutbox outbox, Client client, String id) throws Exception {
        Finding finding = client.finding();
        Optional<PendingMessage> found = outbox.promptly("Finding a message", () -> finding.pending(id));
        outbox.saw(found.isPresent() ? 1 : 0);
        return found;
    }

    /** Every page to the last. */
    private static List<PendingMessage> all(
            TestOutbox outbox, Client client, String topic, @Nullable Integer partition, int limit) throws Exception {
        List<PendingMessage> all = new ArrayList<>();
        String next = null;
        do {
            Page page = page(outbox, client, topic, partition, next, limit);
            all.addAll(page.messages());
            next = page.next();
            assertTrue(all.size() <= 2 * DeadLetterRules.MANY, "pages go on and on: " + all.size() + " messages");
        } while (next != null);
        return all;
    }

    private static Page page(
            TestOutbox outbox,
            Client client,
            String topic,
            @Nullable Integer partition,
            @Nullable String after,
            int limit)
            throws Exception {
        Browsing browsing = client.browsing();
        Page page = outbox.promptly("A page of " + topic, () -> browsing.pending(topic, partition, after, limit));
        assertTrue(
                page.messages().size() <= limit,
                "a page of " + limit + " has " + page.messages().size());
        assertTrue(page.next() == null || !page.messages().isEmpty(), "a page is empty, and there are more");
        outbox.saw(page.messages().size());
        return page;
    }

    private static List<String> ids(List<PendingMessage> messages) {
        return messages.stream().map(each -> each.message().id()).toList();
    }

    private static void assertSameMessage(
            PersistedMessage message, String id, String key, Map<String, String> headers, byte[] payload) {
        assertEquals(id, message.id(), "its id");
        assertEquals(TOPIC, message.topic(), "its topic");
        assertEquals(2, message.partition(), "its partition");
        assertEquals(key, message.key(), "its key");
        assertEquals(headers, message.headers(), "its headers");
        assertArrayEquals(payload, message.payload(), "its payload");
    }
}
