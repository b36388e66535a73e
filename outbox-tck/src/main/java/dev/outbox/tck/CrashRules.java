package dev.outbox.tck;

import static dev.outbox.tck.TestOutbox.TOPIC;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.tck.internal.process.ChildProcess;
import dev.outbox.tck.internal.record.Inconclusive;
import dev.outbox.tck.internal.spec.Level;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.locks.LockSupport;

/** Processes are killed, and nothing is lost, half done, or done again. */
@AtLevel(Level.CRASH)
interface CrashRules {
    @Rule("OBX-CLOSE-2")
    default void whatAKilledProcessHeldComesBackComplete(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        List<String> ids = outbox.commit(TOPIC, 0, "1", "2", "3");
        ChildProcess child = outbox.fork();
        assertEquals(ids, child.ask("checkout " + TOPIC + " 10", "holds"), "messages in the other process");
        client.expectNothing("the other process holds the messages");
        child.kill();
        try (Client.Batch batch = client.await(10)) {
            assertEquals(ids, batch.ids(), "messages after the process was killed");
            batch.publishAll();
        }
    }

    @Rule("OBX-CLOSE-1")
    default void marksOfAKilledProcessHaveNoEffect(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        List<String> ids = outbox.commit(TOPIC, 0, "1", "2", "3");
        ChildProcess child = outbox.fork();
        child.ask("checkout " + TOPIC + " 2", "holds");
        child.ask("mark", "marked");
        child.kill();
        try (Client.Batch batch = client.await(10)) {
            assertEquals(ids, batch.ids(), "messages after the process was killed between mark and close");
            batch.publishAll();
        }
        client.expectNothing("all was settled");
    }

    @Rule("OBX-LIFE-5")
    default void whatAnotherProcessSettledStaysSettled(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        outbox.commit(TOPIC, 0, "1", "2", "3");
        ChildProcess child = outbox.fork();
        child.ask("checkout " + TOPIC + " 2", "holds");
        child.ask("mark", "marked");
        child.ask("close", "closed");
        child.kill();
        assertEquals(List.of("3"), client.publishAll(10), "messages after another process settled two and was killed");
    }

    @Rule("OBX-TX-1")
    default void nothingOfAKilledTransactionAppears(TestOutbox outbox) throws Exception {
        outbox.requireConcurrentTransactions();
        Client client = outbox.open();
        ChildProcess child = outbox.fork();
        child.ask("write " + TOPIC + " 0 a b c", "written");
        client.expectNothing("the transaction is open in the other process");
        child.kill();
        outbox.commit(TOPIC, 0, "marker");
        assertEquals(List.of("marker"), outbox.drain(client, Set.of("marker")), "all that was delivered");
        client.expectNothing("the transaction died with its process");

        ChildProcess second = outbox.fork();
        second.ask("write " + TOPIC + " 0 d e", "written");
        second.ask("commit", "committed");
        second.kill();
        assertEquals(List.of("d", "e"), outbox.drain(client, Set.of("d", "e")), "what was committed before the kill");
    }

    /** Wherever it was: between the commit of a row and that of its message there is nothing. */
    @Rule("OBX-TX-1")
    default void rowsAndMessagesOfAKilledProcessAreTheSame(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        Random random = new Random(outbox.seed());
        outbox.hasRow("none"); // a harness may make its table when it is first asked for
        for (int round = 0; round < 3; round++) {
            String run = UUID.randomUUID().toString();
            ChildProcess child = outbox.fork();
            child.tell("rows " + TOPIC + " " + run);
            int killAfter = 3 + random.nextInt(30);
            int last = 0;
            for (String line; (line = child.nextAnswer()) != null; ) {
                last = Integer.parseInt(line.split(" ", -1)[1]);
                if (last == killAfter) {
                    LockSupport.parkNanos(random.nextInt(10_000_000)); // anywhere in the next transactions
                    child.kill();
                }
            }
            assertTrue(last >= killAfter, "the process ended before it was killed, after " + last + " transactions");
            Set<String> rows = new HashSet<>();
            for (int i = 1; i <= last + 1; i++) {
                if (outbox.hasRow(run + "-" + i)) {
                    rows.add(run + "-" + i);
                }
            }
            assertTrue(rows.size() >= last, "rows of " + last + " transactions that committed: " + rows);
            outbox.commit(TOPIC, 0, run);
            Set<String> expected = new HashSet<>(rows);
            expected.add(run);
            for (String name : outbox.drain(client, expected)) {
                assertTrue(name.equals(run) || outbox.hasRow(name), "a message came, and its row is missing: " + name);
            }
        }
    }

    /** On a busy machine one process may take all before the other is awake. So there is more until both had some. */
    @Rule("OBX-EXCL-1")
    default void processesShareNoMessage(TestOutbox outbox) throws Exception {
        List<ChildProcess> children = List.of(outbox.fork(), outbox.fork());
        Set<String> pending = new HashSet<>(commitToThree(outbox, 200));
        for (ChildProcess child : children) {
            child.tell("loop " + TOPIC + " 3");
        }
        List<String> published = new ArrayList<>();
        Set<Integer> busy = new HashSet<>();
        for (int more = 0; ; more++) {
            outbox.eventually("two processes settle " + pending.size() + " messages", () -> {
                for (int i = 0; i < children.size(); i++) {
                    for (String line; (line = children.get(i).answerIfAny()) != null; ) {
                        List<String> words = List.of(line.split(" ", -1));
                        if (words.get(0).equals("settling")) {
                            busy.add(i);
                            published.addAll(words.subList(1, words.size()));
                        }
                    }
                }
                return published.size() >= pending.size() ? true : null;
            });
            if (busy.size() == children.size()) {
                break;
            }
            if (more == 10) {
                throw new Inconclusive("one process took all messages each time, and the other none");
            }
            pending.addAll(commitToThree(outbox, 200));
        }
        assertEquals(pending, new HashSet<>(published), "messages that were published");
        assertEquals(pending.size(), published.size(), "publications by two processes, of which none was killed");
    }

    private static List<String> commitToThree(TestOutbox outbox, int toEach) throws Exception {
        List<String> ids = new ArrayList<>();
        for (int partition = 0; partition < 3; partition++) {
            String[] texts = new String[toEach];
            Arrays.fill(texts, "m");
            ids.addAll(outbox.commit(TOPIC, partition, texts));
        }
        return ids;
    }

    @Rule("OBX-CLOSE-1")
    default void aProcessKilledAtAnyMomentSettlesWholeBatches(TestOutbox outbox) throws Exception {
        long seed = outbox.seed();
        Random random = new Random(seed);
        Client client = outbox.open();
        for (int round = 0; round < 2; round++) {
            Set<String> pending = new LinkedHashSet<>();
            for (int i = 0; i < 20; i++) {
                String[] texts = new String[100];
                Arrays.fill(texts, "m");
                pending.addAll(outbox.commit(TOPIC, i % 2, texts));
            }
            ChildProcess child = outbox.fork();
            child.tell("loop " + TOPIC + " 7");
            Set<String> settled = new HashSet<>();
            Set<String> unknown = new HashSet<>();
            int killAfter = 1 + random.nextInt(60);
            for (String line; (line = child.nextAnswer()) != null; ) {
                List<String> ids = List.of(line.split(" ", -1));
                List<String> batch = ids.subList(1, ids.size());
                if (ids.get(0).equals("settled")) {
                    settled.addAll(batch);
                    unknown.clear();
                    if (--killAfter == 0) {
                        LockSupport.parkNanos(random.nextInt(2_000_000)); // anywhere in the next batch
                        child.kill();
                    }
                } else {
                    unknown = new HashSet<>(batch);
                }
            }
            List<String> left = new ArrayList<>();
            // The batch in question is at the head of its partitions, so it comes, if it does, before the rest.
            Set<String> remaining = new HashSet<>(pending);
            remaining.removeAll(settled);
            remaining.removeAll(unknown);
            while (!left.containsAll(remaining)) {
                try (Client.Batch batch = client.await(500)) {
                    left.addAll(batch.ids());
                    batch.publishAll();
                }
            }
            String which = " (seed " + seed + ", round " + round + ")";
            Set<String> again = new HashSet<>(left);
            again.retainAll(settled);
            assertEquals(Set.of(), again, "messages that came again after their close had returned" + which);
            Set<String> ofUnknown = new HashSet<>(left);
            ofUnknown.retainAll(unknown);
            assertTrue(
                    ofUnknown.isEmpty() || ofUnknown.equals(unknown),
                    "of the batch " + unknown + " that was being closed at the kill, only these came again: "
                            + ofUnknown + which);
            assertEquals(left.size(), new HashSet<>(left).size(), "different messages of those that were left" + which);
            client.expectNothing("all was settled" + which);
        }
    }
}
