package dev.outbox.tck;

import static dev.outbox.tck.TestOutbox.TOPIC;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.Capability;
import dev.outbox.tck.internal.history.History;
import dev.outbox.tck.internal.process.ChildProcess;
import dev.outbox.tck.internal.process.KillPoint;
import dev.outbox.tck.internal.process.KillTime;
import dev.outbox.tck.internal.process.RelayLog;
import dev.outbox.tck.internal.record.Inconclusive;
import dev.outbox.tck.internal.spec.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

/** Relays are killed at named points of their rounds and at random, and a fresh client finds all or nothing done. */
@AtLevel(Level.CRASH)
interface KillPointRules {
    @Rule("OBX-CLOSE-2")
    default void aProcessKilledBeforeCloseLeavesEverything(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        for (KillPoint point : List.of(KillPoint.AFTER_CHECKOUT, KillPoint.AFTER_PUBLISH, KillPoint.AFTER_MARK)) {
            List<String> ids = new ArrayList<>(outbox.commit(TOPIC, 0, "1", "2"));
            ids.addAll(outbox.commit(TOPIC, 1, "3"));
            ChildProcess child = outbox.fork();
            child.tell("round " + point + " " + TOPIC + " 10 0");
            assertEquals(new HashSet<>(ids), new HashSet<>(child.answer("holds")), "messages in the other process");
            child.answer("at");
            child.kill();
            Set<String> left = new HashSet<>(outbox.drain(client, Set.of("1", "2", "3")));
            assertEquals(3, left.size(), "messages after the process was killed " + point);
            client.expectNothing("all was settled");
        }
    }

    /** The first round shows how long a close takes, the others are killed within that time. */
    @Rule("OBX-CLOSE-1")
    default void aProcessKilledDuringCloseSettlesAllOrNothing(TestOutbox outbox) throws Exception {
        Random random = new Random(outbox.seed());
        Client client = outbox.open();
        long usual = 0;
        for (int round = 0; round < 4; round++) {
            Set<String> pending = new HashSet<>();
            for (int i = 0; i < 6; i++) {
                String[] texts = new String[20];
                Arrays.fill(texts, "m");
                pending.addAll(outbox.commit(TOPIC, i % 3, texts));
            }
            ChildProcess child = outbox.fork();
            long after = usual == 0 ? 0 : 1 + (long) (random.nextDouble() * usual);
            child.tell("round " + KillPoint.DURING_CLOSE + " " + TOPIC + " 1000 " + after);
            Set<String> held = new HashSet<>(child.answer("holds"));
            assertEquals(pending, held, "messages in the other process");
            boolean closed = false;
            for (String line; (line = child.nextAnswer()) != null; ) {
                if (line.startsWith("closed ")) {
                    closed = true;
                    usual = usual == 0 ? Long.parseLong(line.substring(7)) : usual;
                    child.kill();
                }
            }
            Set<String> left = new HashSet<>();
            outbox.commit(TOPIC, 3, "marker");
            while (!left.contains("marker")) {
                try (Client.Batch batch = client.await(1_000)) {
                    batch.messages().forEach(m -> left.add(TestOutbox.text(m).equals("marker") ? "marker" : m.id()));
                    batch.publishAll();
                }
            }
            // With leases the marker may come before what the dead process held.
            for (long end = System.nanoTime() + outbox.afterDeath().toNanos(); System.nanoTime() < end; ) {
                try (Client.Batch batch = client.checkout(1_000)) {
                    left.addAll(batch.ids());
                    batch.publishAll();
                }
                TestOutbox.pause();
            }
            left.remove("marker");
            outbox.record(
                    "killed " + after + " ns into close, " + left.size() + " of " + pending.size() + " were left");
            assertTrue(
                    left.isEmpty() || left.equals(pending) && !closed,
                    "of " + pending.size() + " messages whose close "
                            + (closed ? "had returned" : "was cut short by a kill") + " these came again: " + left);
        }
    }

    /**
     * A message that failed before may be settled by other statements than the rest, so that a process that dies among
     * them leaves other locks.
     */
    @Rule("OBX-FENCE-2")
    default void aProcessKilledWhileItSettlesWhatFailedBeforeHoldsUpNobody(TestOutbox outbox) throws Exception {
        Random random = new Random(outbox.seed());
        Client client = outbox.open();
        long usual = 0;
        int cutShort = 0;
        int unsettled = 0; // kills before which the close had no effect; others may have come after it
        for (int round = 0; round < 6 || unsettled == 0 && round < 24; round++) {
            Set<String> failed = new HashSet<>();
            for (int partition = 0; partition < 3; partition++) {
                failed.add(outbox.commit(TOPIC, partition, "m", "m", "m").get(0));
            }
            Set<String> toFail = new HashSet<>(failed);
            while (!toFail.isEmpty()) {
                try (Client.Batch batch = client.await(100)) {
                    batch.messages().stream()
                            .filter(m -> toFail.remove(m.id()))
                            .forEach(m -> batch.fail(m, Duration.ZERO));
                }
            }
            ChildProcess child = outbox.fork();
            // A kill that came too late each time proves nothing: the next ones come earlier and earlier.
            long after = usual == 0 ? 0 : 1 + ((long) (random.nextDouble() * usual) >> (round / 6 * 2));
            child.tell("round " + KillPoint.DURING_CLOSE + " " + TOPIC + " 100 " + after);
            Set<String> held = new HashSet<>(child.answer("holds"));
            assertTrue(held.containsAll(failed), "the other process has what failed before: " + held);
            cutShort++;
            for (String line; (line = child.nextAnswer()) != null; ) {
                if (line.startsWith("closed ")) {
                    cutShort--;
                    usual = usual == 0 ? Long.parseLong(line.substring(7)) : usual;
                    child.kill();
                }
            }
            long died = System.nanoTime();
            Set<String> markers = new HashSet<>();
            for (int partition = 0; partition < 3; partition++) {
                markers.addAll(outbox.commit(TOPIC, partition, "marker"));
            }
            outbox.record("killed " + after + " ns into close");
            boolean cameAgain = false;
            while (!markers.isEmpty()) {
                try (Client.Batch batch = client.checkout(100)) {
                    cameAgain |= !Collections.disjoint(held, batch.ids());
                    markers.removeAll(batch.ids());
                    batch.publishAll();
                }
                Duration longest = outbox.longestAfterDeath();
                assertTrue(
                        markers.isEmpty() || System.nanoTime() - died < longest.toNanos(),
                        "partitions of a process that was killed are not handed out after " + longest.toSeconds()
                                + " s");
                TestOutbox.pause();
            }
            unsettled += cameAgain ? 1 : 0;
        }
        if (cutShort == 0) {
            throw new Inconclusive("each close was quicker than the kill that was to interrupt it");
        }
    }

    /**
     * A move works in parts. The first one shows how long it takes, and the others are killed within that time: in the
     * middle of a part, and between two of them.
     */
    @Rule("OBX-OPS-6")
    default void aMoveThatIsKilledLeavesEachMessageOnceAndInOrder(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        if (CapabilityRules.isWithoutOperations(client)) {
            return;
        }
        Random random = new Random(outbox.seed());
        KillTime time = null;
        int cutShort = 0;
        int betweenParts = 0; // or never, where a move has one part
        for (int round = 0; round < 6 || betweenParts == 0 && round < 12; round++) {
            Map<Integer, List<String>> written = new HashMap<>();
            for (int partition = 0; partition < 3; partition++) {
                String[] texts = new String[350];
                Arrays.fill(texts, "m");
                written.put(partition, outbox.commit(PendingRules.OLD, partition, texts));
            }
            ChildProcess child = outbox.fork();
            long after = time == null ? 0 : time.draw();
            child.tell("move " + PendingRules.OLD + " " + TOPIC + " 3 " + after);
            cutShort++;
            for (String line; (line = child.nextAnswer()) != null; ) {
                cutShort--;
                long took = Long.parseLong(line.substring("moved ".length()));
                time = time == null ? new KillTime(random, took) : time;
                child.kill();
            }
            Set<String> left = new HashSet<>();
            written.values().forEach(left::addAll);
            int all = left.size();
            Map<String, List<String>> came = new HashMap<>();
            outbox.eventually("each of " + all + " messages comes", () -> {
                for (String topic : List.of(TOPIC, PendingRules.OLD)) {
                    try (Client.Batch batch = client.checkout(500, topic)) {
                        batch.messages()
                                .forEach(m -> came.computeIfAbsent(topic + m.partition(), none -> new ArrayList<>())
                                        .add(m.id()));
                        left.removeAll(batch.ids());
                        batch.publishAll();
                    }
                }
                return left.isEmpty() ? true : null;
            });
            int moved = 0;
            for (Map.Entry<Integer, List<String>> partition : written.entrySet()) {
                List<String> ids = new ArrayList<>(came.getOrDefault(TOPIC + partition.getKey(), List.of()));
                moved += ids.size();
                ids.addAll(came.getOrDefault(PendingRules.OLD + partition.getKey(), List.of()));
                assertEquals(
                        partition.getValue(),
                        ids,
                        "messages of partition " + partition.getKey() + ", those that were moved first");
            }
            client.expectNothing("each came once", TOPIC, PendingRules.OLD);
            outbox.record("killed " + after + " ns into a move, " + moved + " of " + all + " were moved");
            if (time != null && after > 0) {
                if (moved == 0) {
                    time.wasTooEarly(after);
                } else if (moved == all) {
                    time.wasTooLate(after);
                } else {
                    betweenParts++;
                }
            }
        }
        if (cutShort == 0) {
            throw new Inconclusive("each move was quicker than the kill that was to interrupt it");
        }
    }

    /** Three relays in processes of their own, under load; twice one is killed and another started. */
    @Rule("OBX-EXCL-1")
    default void relaysThatAreKilledShareAndLoseNothing(TestOutbox outbox) throws Exception {
        Random random = new Random(outbox.seed());
        List<History.Written> written = new ArrayList<>();
        Map<String, String> partitions = new HashMap<>();
        List<RelayLog> logs = new ArrayList<>();
        List<RelayLog> running = new ArrayList<>();
        List<ChildProcess> relays = new ArrayList<>();
        for (int i = 0; i < 3; i++) {
            relays.add(start(outbox));
            running.add(new RelayLog("relay " + i, partitions));
        }
        logs.addAll(running);
        int transactions = 0;
        for (int kills = 0; kills < 3; kills++) {
            for (int more = 20 + random.nextInt(40); more > 0; more--) {
                transactions++;
                String partition = TOPIC + "/" + transactions % 5;
                String[] texts = new String[10];
                Arrays.fill(texts, "m");
                long began = System.nanoTime();
                List<String> ids = outbox.commit(TOPIC, transactions % 5, texts);
                long ended = System.nanoTime();
                for (String id : ids) {
                    partitions.put(id, partition);
                    written.add(new History.Written(
                            id, partition, "transaction " + transactions, began, began, ended, History.End.OK));
                }
            }
            if (kills == 2) {
                break; // those that are left do the rest
            }
            int victim = random.nextInt(relays.size());
            ChildProcess killed = relays.get(victim);
            killed.kill();
            for (String line; (line = killed.nextAnswer()) != null; ) {
                running.get(victim).add(line);
            }
            relays.set(victim, start(outbox));
            running.set(victim, new RelayLog("relay " + logs.size(), partitions));
            logs.add(running.get(victim));
        }
        Set<String> left = new HashSet<>(partitions.keySet());
        long[] lastHeard = {System.nanoTime()};
        // What was being closed at a kill may be settled without anybody having said so, or it comes again after a
        // while.
        outbox.eventually("the relays settle what is left, and fall silent", () -> {
            for (int i = 0; i < relays.size(); i++) {
                for (String line; (line = relays.get(i).answerIfAny()) != null; ) {
                    running.get(i).add(line);
                    lastHeard[0] = System.nanoTime();
                }
            }
            logs.forEach(log -> left.removeAll(log.settled()));
            logs.forEach(log -> left.removeAll(log.unknown()));
            boolean silent =
                    System.nanoTime() - lastHeard[0] > outbox.afterDeath().toNanos();
            return left.isEmpty() && silent ? true : null;
        });
        Client last = outbox.open();
        last.expectNothing("the relays settled everything");
        List<History.Delivered> delivered = new ArrayList<>();
        logs.forEach(log -> delivered.addAll(log.delivered()));
        History history = new History(written, delivered);
        history.check(TestOutbox.has(last, Capability.PARTITION_EXCLUSIVITY));
        outbox.saw(history.deliveries(), history.summary());
    }

    private static ChildProcess start(TestOutbox outbox) throws Exception {
        ChildProcess child = outbox.fork();
        child.tell("relay " + TOPIC + " 7");
        return child;
    }
}
