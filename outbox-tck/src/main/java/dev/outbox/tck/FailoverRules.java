package dev.outbox.tck;

import static dev.outbox.tck.TestOutbox.TOPIC;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.Capability;
import dev.outbox.DeadLetter;
import dev.outbox.Operations.Backlog;
import dev.outbox.OutgoingMessage;
import dev.outbox.PersistedMessage;
import dev.outbox.tck.NetworkRules.End;
import dev.outbox.tck.internal.record.Inconclusive;
import dev.outbox.tck.internal.spec.Level;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;

/**
 * A copy takes the place of the server, with or without the last writes. Tests learn what is there by a message that
 * they write at the end of each partition: it comes last.
 */
@AtLevel(Level.FAILOVER)
interface FailoverRules {
    @Rule("OBX-FAILOVER-1")
    default void whatTheCopyHadIsThereAfterAFailover(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        outbox.commit(TOPIC, 0, "published", "published later", "left");
        List<String> dead = outbox.commit(TOPIC, 1, "dead");
        outbox.commit(TOPIC, 1, "left too");
        try (Client.Batch batch = client.await(10)) {
            batch.publish(ServerRules.only(batch, "published"));
            batch.bury(ServerRules.only(batch, "dead"));
        }
        outbox.lag();
        outbox.commit(TOPIC, 0, "new");
        outbox.commit(TOPIC, 2, "new too");
        try (Client.Batch batch = client.await(10)) {
            batch.publish(ServerRules.only(batch, "published later"));
        }
        outbox.failOver();
        Client fresh = outbox.open();
        Set<String> came = takeAll(outbox, fresh, 3).keySet();
        assertTrue(came.containsAll(Set.of("left", "left too")), "messages that the copy had, of which came " + came);
        assertFalse(came.contains("published"), "a message came again that was published when the copy had all");
        assertFalse(came.contains("dead"), "a message came again that was a dead letter when the copy had all");
        if (TestOutbox.has(fresh, Capability.OPERATIONS)) {
            assertEquals(dead, deadLetters(fresh), "dead letters that the copy had");
        }
        List<String> lost = new ArrayList<>(List.of("new", "new too"));
        lost.removeAll(came);
        if (came.contains("published later")) {
            lost.add("the close that published a message");
        }
        if (!outbox.mayLoseWrites()) {
            assertEquals(List.of(), lost, "lost, although the page of the backend says that a failover loses nothing");
        } else if (lost.isEmpty()) {
            throw new Inconclusive("the copy had all that was written after it began to lag");
        }
    }

    @Rule("OBX-FAILOVER-2")
    default void transactionsAndClosesSurviveAFailoverAsAWhole(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        outbox.commit(TOPIC, 0, "published");
        outbox.commit(TOPIC, 1, "failed");
        List<String> dead = outbox.commit(TOPIC, 2, "dead");
        List<OutgoingMessage> early = commitWithRow(outbox, "early", 5);
        outbox.lag();
        List<OutgoingMessage> late = commitWithRow(outbox, "late", 3);
        try (Client.Batch batch = client.await(10)) {
            batch.publish(ServerRules.only(batch, "published"));
            batch.fail(ServerRules.only(batch, "failed"), Duration.ZERO);
            batch.bury(ServerRules.only(batch, "dead"));
        }
        outbox.failOver();
        Client fresh = outbox.open();
        Map<String, PersistedMessage> came = takeAll(outbox, fresh, 7);
        assertTransactionIsWhole(outbox, early, came);
        assertTransactionIsWhole(outbox, late, came);
        boolean settled = !came.containsKey("published");
        String what = "a message that was marked in a close " + (settled ? "that took effect" : "that was lost");
        assertEquals(settled, !came.containsKey("dead"), "whether there is no dead message, " + what);
        PersistedMessage failed = came.get("failed");
        if (failed == null) {
            throw new AssertionError("the message that failed is not there");
        }
        assertEquals(settled ? 1 : 0, failed.attempts(), "attempts of " + what);
        if (TestOutbox.has(fresh, Capability.OPERATIONS)) {
            assertEquals(settled ? dead : List.of(), deadLetters(fresh), "dead letters, of " + what);
        }
    }

    @Rule("OBX-FAILOVER-2")
    default void transactionsThatWereOpenAtAFailoverAreWholeOrNot(TestOutbox outbox) throws Exception {
        outbox.requireConcurrentTransactions();
        String row = "open-" + UUID.randomUUID();
        outbox.hasRow("none"); // a harness may make its table when it is first asked for
        rollBack(outbox, "rolled back");
        Writer commits = outbox.begin();
        commits.writeRow(row);
        commits.write(TOPIC, 0, "open");
        commits.write(TOPIC, 1, "open too");
        outbox.lag();
        rollBack(outbox, "rolled back later");
        Writer ends = outbox.begin();
        ends.write(TOPIC, 1, "never committed");
        outbox.commit(TOPIC, 0, "between");
        outbox.failOver();
        boolean committed = commits(commits);
        ServerRules.closeDead(outbox, commits);
        ServerRules.closeDead(outbox, ends);
        Set<String> came = takeAll(outbox, outbox.open(), 2).keySet();
        boolean there = outbox.hasRow(row);
        assertTrue(there || !committed, "a row is missing whose commit returned");
        assertEquals(there, came.contains("open"), "whether a message of the transaction came, whose row is there");
        assertEquals(there, came.contains("open too"), "whether the other message of the transaction came");
        for (String never : List.of("rolled back", "rolled back later", "never committed")) {
            assertFalse(came.contains(never), "a message came of a transaction that did not commit: " + never);
        }
    }

    @Rule("OBX-FAILOVER-3")
    default void aPartitionKeepsItsOrderThroughAFailover(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        outbox.commit(TOPIC, 0, "1", "2", "3", "4");
        client.publishAll(2);
        outbox.lag();
        outbox.commit(TOPIC, 0, "5", "6");
        try (Client.Batch batch = client.await(10)) {
            batch.messages().subList(0, batch.messages().size() - 1).forEach(batch::publish);
        }
        outbox.failOver();
        outbox.commit(TOPIC, 0, "7", "8");
        // By the client that was there before, if it works again, because it may remember how far it had read.
        Client reader = ServerRules.worksAgain(client) ? client : outbox.open();
        List<String> came = new ArrayList<>(takeAll(outbox, reader, 1).keySet());
        assertEquals(came.stream().sorted().toList(), came, "messages of a partition, in their order");
        assertTrue(came.containsAll(Set.of("7", "8")), "messages that were written after the failover: " + came);
    }

    @Rule("OBX-FAILOVER-4")
    default void aHoldThatTheCopyLacksEndsOrStays(TestOutbox outbox) throws Exception {
        outbox.commit(TOPIC, 0, "1", "2");
        Client holder = outbox.open();
        outbox.lag();
        Client.Batch stale = holder.await(10);
        stale.publishAll();
        outbox.failOver();
        ServerRules.closeAfterOthersTried(outbox, stale);
    }

    @Rule("OBX-FAILOVER-4")
    default void aHoldThatTheCopyHasEndsOrStays(TestOutbox outbox) throws Exception {
        outbox.commit(TOPIC, 0, "1", "2");
        Client.Batch stale = outbox.open().await(10);
        stale.publishAll();
        outbox.lag();
        outbox.failOver();
        ServerRules.closeAfterOthersTried(outbox, stale);
    }

    /** The copy may give a new message the position of a lost one. */
    @Rule("OBX-FAILOVER-4")
    default void aBatchOfLostMessagesSettlesNoOthers(TestOutbox outbox) throws Exception {
        Client holder = outbox.open();
        outbox.commit(TOPIC, 0, "before");
        holder.publishAll(1);
        outbox.lag();
        outbox.commit(TOPIC, 0, "last");
        Client.Batch stale = holder.await(10);
        stale.publishAll();
        outbox.failOver();
        outbox.commit(TOPIC, 0, "new");
        End end = NetworkRules.close(stale);
        outbox.record("the close ended with " + end);
        Set<String> came = takeAll(outbox, outbox.open(), 1).keySet();
        assertTrue(came.contains("new"), "the message that was written after the failover is there: " + came);
        assertFalse(end == End.DONE && came.contains("last"), "a message came again whose close returned");
    }

    @Rule("OBX-FAILOVER-5")
    default void noIdComesAgainAfterAFailover(TestOutbox outbox) throws Exception {
        Map<String, String> before = new LinkedHashMap<>(); // by their text
        commit(outbox, before, "1", "2", "3");
        Client client = outbox.open();
        client.publishAll(1);
        outbox.lag();
        commit(outbox, before, "4", "5");
        client.publishAll(2);
        outbox.failOver();
        Map<String, String> after = new LinkedHashMap<>();
        commit(outbox, after, "6", "7", "8");
        Set<String> again = new HashSet<>(after.values());
        again.retainAll(before.values());
        assertEquals(Set.of(), again, "ids of new messages that earlier ones had");
        Map<String, String> all = new LinkedHashMap<>(before);
        all.putAll(after);
        Map<String, PersistedMessage> came = takeAll(outbox, outbox.open(), 1);
        assertTrue(came.keySet().containsAll(after.keySet()), "new messages, of which came " + came.keySet());
        came.forEach((text, message) -> assertEquals(all.get(text), message.id(), "the id of message " + text));
    }

    @Rule("OBX-FAILOVER-6")
    default void whatTheBacklogCountsAfterAFailoverIsDelivered(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        boolean counts = TestOutbox.has(client, Capability.OPERATIONS);
        outbox.commit(TOPIC, 0, "emptied");
        outbox.commit(TOPIC, 1, "emptied and filled");
        outbox.commit(TOPIC, 2, "failed", "after it");
        try (Client.Batch batch = client.await(10)) {
            batch.fail(ServerRules.only(batch, "failed"), counts ? Duration.ofHours(1) : Duration.ZERO);
        }
        outbox.lag();
        if (counts) {
            assertTrue(client.operations().retryNow(TOPIC, 2), "whether there was a delay to end");
        }
        try (Client.Batch batch = client.await(10)) {
            batch.publish(ServerRules.only(batch, "emptied"));
            batch.publish(ServerRules.only(batch, "emptied and filled"));
        }
        outbox.commit(TOPIC, 1, "filled");
        outbox.commit(TOPIC, 3, "new");
        Client.Batch held = client.await(10);
        outbox.failOver();
        outbox.record("the close of a batch without marks ended with " + NetworkRules.close(held));
        Client fresh = outbox.open();
        if (counts) {
            fresh.operations().retryNow(TOPIC);
            Map<Integer, Long> counted = backlog(fresh);
            Map<Integer, Long> came = new TreeMap<>();
            outbox.eventually("what the backlog counts comes: " + counted, () -> {
                try (Client.Batch batch = fresh.checkout(100)) {
                    batch.messages().forEach(message -> came.merge(message.partition(), 1L, Long::sum));
                    batch.publishAll();
                }
                return came.equals(counted) ? true : null;
            });
            fresh.expectNothing("all that the backlog counted came");
            assertEquals(Map.of(), backlog(fresh), "the backlog when all is settled");
        }
        takeAll(outbox, fresh, 4);
    }

    @Rule("OBX-FAILOVER-6")
    default void aClientThatWasOpenWorksAgainAfterAFailover(TestOutbox outbox) throws Exception {
        ServerRules.aClientWorksAgainAfter(outbox, outbox::lag, outbox::failOver);
    }

    /** Commits a row, and two messages with all that messages may have, in a partition and the next. */
    private static List<OutgoingMessage> commitWithRow(TestOutbox outbox, String text, int partition) throws Exception {
        outbox.hasRow("none"); // a harness may make its table when it is first asked for
        List<OutgoingMessage> written = new ArrayList<>();
        String row = text + "-" + UUID.randomUUID();
        try (Writer writer = outbox.begin()) {
            writer.writeRow(row);
            for (int i = 0; i < 2; i++) {
                OutgoingMessage message = new OutgoingMessage(
                        TOPIC,
                        partition + i,
                        "key of " + text,
                        Map.of("row", row, "grüße", "…"),
                        (text + " " + i).getBytes(StandardCharsets.UTF_8));
                writer.write(message);
                written.add(message);
            }
            writer.commit();
        }
        return written;
    }

    private static void assertTransactionIsWhole(
            TestOutbox outbox, List<OutgoingMessage> written, Map<String, PersistedMessage> came) throws Exception {
        for (OutgoingMessage message : written) {
            String text = TestOutbox.text(message);
            boolean there = outbox.hasRow(String.valueOf(message.headers().get("row")));
            PersistedMessage found = came.get(text);
            assertEquals(there, found != null, "whether message '" + text + "' came, whose row is there");
            if (found != null) {
                assertEquals(message.partition(), found.partition(), "the partition of '" + text + "'");
                assertEquals(message.key(), found.key(), "the key of '" + text + "'");
                assertEquals(message.headers(), found.headers(), "the headers of '" + text + "'");
                assertArrayEquals(message.payload(), found.payload(), "the payload of '" + text + "'");
                assertEquals(0, found.attempts(), "the attempts of '" + text + "'");
            }
        }
    }

    private static void rollBack(TestOutbox outbox, String text) throws Exception {
        try (Writer writer = outbox.begin()) {
            writer.write(TOPIC, 0, text);
            writer.rollback();
        }
    }

    /** Whether a commit returns, of a transaction whose server may be gone. */
    private static boolean commits(Writer writer) {
        try {
            writer.commit();
            return true;
        } catch (Exception e) {
            return false;
        }
    }

    private static void commit(TestOutbox outbox, Map<String, String> ids, String... texts) throws Exception {
        List<String> given = outbox.commit(TOPIC, 0, texts);
        for (int i = 0; i < texts.length; i++) {
            ids.put(texts[i], given.get(i));
        }
    }

    private static List<String> deadLetters(Client client) {
        return client.operations().deadLetters(TOPIC, null, 10).stream()
                .map(DeadLetter::message)
                .map(PersistedMessage::id)
                .toList();
    }

    /** How many messages it counts by partition. */
    private static Map<Integer, Long> backlog(Client client) {
        Map<Integer, Long> pending = new TreeMap<>();
        for (Backlog each : client.operations().backlog()) {
            pending.put(each.partition(), each.pending());
        }
        return pending;
    }

    /** Takes and publishes all messages there are; returns them by their text, in the order in which they came. */
    private static Map<String, PersistedMessage> takeAll(TestOutbox outbox, Client client, int partitions)
            throws Exception {
        Set<String> ends = new HashSet<>();
        for (int partition = 0; partition < partitions; partition++) {
            ends.add("end of " + partition);
            outbox.commit(TOPIC, partition, "end of " + partition);
        }
        Map<String, PersistedMessage> came = new LinkedHashMap<>();
        outbox.eventually("the messages at the end of all partitions come", () -> {
            try (Client.Batch batch = client.checkout(100)) {
                for (PersistedMessage message : batch.messages()) {
                    String text = TestOutbox.text(message);
                    assertTrue(came.put(text, message) == null, "'" + text + "' came again after it was settled");
                }
                batch.publishAll();
            }
            return came.keySet().containsAll(ends) ? true : null;
        });
        client.expectNothing("all was settled");
        came.keySet().removeAll(ends);
        return came;
    }
}
