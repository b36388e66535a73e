package dev.outbox.tck;

import static dev.outbox.tck.TestOutbox.TOPIC;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.Capability;
import dev.outbox.tck.internal.spec.Level;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.concurrent.Callable;

/** Messages are written by the transaction of the application, and not next to it. */
@AtLevel(Level.CONTRACT)
interface RowRules {
    @Rule("OBX-TX-1")
    default void rowsAndMessagesAreOneTransaction(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        String run = UUID.randomUUID().toString();
        try (Writer writer = outbox.begin()) {
            writer.writeRow(run + "-rolled-back");
            writer.write(TOPIC, 0, "rolled back");
            writer.rollback();
        }
        try (Writer writer = outbox.begin()) {
            writer.write(TOPIC, 0, "left open");
            writer.writeRow(run + "-left-open");
        }
        client.expectNothing("both transactions were rolled back");
        try (Writer writer = outbox.begin()) {
            writer.write(TOPIC, 0, "first");
            writer.writeRow(run + "-committed");
            writer.writeAll(List.of(TestOutbox.message(TOPIC, 0, "second")));
            writer.commit();
        }
        assertEquals(Set.of("first", "second"), new TreeSet<>(client.publishAll(10)), "messages after the commit");
        assertTrue(outbox.hasRow(run + "-committed"), "a row is missing that was committed");
        assertFalse(outbox.hasRow(run + "-rolled-back"), "a row is there that was rolled back");
        assertFalse(outbox.hasRow(run + "-left-open"), "a row is there whose transaction was closed without commit");
    }

    @Rule("OBX-TX-6")
    default void whatASavepointUndidDoesNotExist(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        String run = UUID.randomUUID().toString();
        Set<String> expected = new TreeSet<>(Set.of("before", "after"));
        try (Writer writer = outbox.begin()) {
            writer.write(TOPIC, 0, "before");
            Optional<Callable<Boolean>> undo = writer.savepoint();
            writer.writeRow(run + "-undone");
            writer.write(TOPIC, 0, "undone");
            writer.writeAll(List.of(TestOutbox.message(TOPIC, 1, "undone too")));
            if (undo.isPresent()) {
                outbox.promptly("A rollback to a savepoint", undo.get());
            } else {
                expected.addAll(Set.of("undone", "undone too"));
            }
            writer.write(TOPIC, 0, "after");
            writer.writeRow(run + "-after");
            writer.commit();
        }
        try (Client.Batch batch = client.await(10)) {
            assertEquals(expected, new TreeSet<>(batch.texts()), "messages of the transaction");
            batch.publishAll();
        }
        assertTrue(outbox.hasRow(run + "-after"), "a row is missing that was written after the rollback");
        assertEquals(expected.contains("undone"), outbox.hasRow(run + "-undone"), "a row is there that was undone");
        client.expectNothing("all was settled");
    }

    @Rule("OBX-TX-7")
    default void transactionsAreOpenAtTheSameTime(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        if (!TestOutbox.has(client, Capability.CONCURRENT_TRANSACTIONS)) {
            CapabilityRules.assertRefused(client, Capability.CONCURRENT_TRANSACTIONS);
            return;
        }
        int many = 6;
        List<Writer> writers = new ArrayList<>();
        for (int i = 0; i < many; i++) {
            writers.add(outbox.begin());
        }
        Set<String> expected = new TreeSet<>();
        for (int round = 0; round < 2; round++) {
            for (int i = 0; i < many; i++) {
                Writer writer = writers.get(i);
                String text = "message " + round + " of transaction " + i;
                int own = i + 1;
                outbox.promptly("Persisting with other transactions open", () -> {
                    writer.writeAll(List.of(
                            TestOutbox.message(TOPIC, 0, text), TestOutbox.message(TOPIC, own, text + ", its own")));
                    return true;
                });
                if (i % 3 > 0) {
                    expected.addAll(Set.of(text, text + ", its own"));
                }
            }
        }
        for (int i = many - 1; i >= 0; i--) {
            Writer writer = writers.get(i);
            boolean commits = i % 3 > 0;
            outbox.promptly("The end of a transaction with others open", () -> {
                if (commits) {
                    writer.commit();
                } else {
                    writer.rollback();
                }
                return true;
            });
        }
        assertEquals(expected, new TreeSet<>(outbox.drain(client, expected)), "messages of the transactions");
        client.expectNothing("the other transactions were rolled back");
    }
}
