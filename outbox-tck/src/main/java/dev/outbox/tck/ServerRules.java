package dev.outbox.tck;

import static dev.outbox.tck.TestOutbox.TOPIC;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.Capability;
import dev.outbox.DeadLetter;
import dev.outbox.Operations.FailingPartition;
import dev.outbox.PersistedMessage;
import dev.outbox.StoreException;
import dev.outbox.tck.NetworkRules.End;
import dev.outbox.tck.internal.history.History;
import dev.outbox.tck.internal.record.Inconclusive;
import dev.outbox.tck.internal.record.RuleViolation;
import dev.outbox.tck.internal.spec.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/** The server is killed and started again, and keeps what it has acknowledged. */
@AtLevel(Level.SERVER)
interface ServerRules {
    /** The ten seconds of the rule, and what a busy machine needs to say so. */
    Duration LONGEST_RECOVERY = Duration.ofSeconds(12);

    /** What a rule that is kept as long as the server lives is about when it dies. */
    Map<String, String> AFTER_A_CRASH = Map.of(
            "OBX-TX-1", "OBX-DUR-1",
            "OBX-TX-2", "OBX-DUR-1",
            "OBX-CLOSE-1", "OBX-DUR-2",
            "OBX-EXCL-1", "OBX-DUR-4",
            "OBX-FENCE-1", "OBX-DUR-4",
            "OBX-ORDER-3", "OBX-DUR-4",
            "OBX-ORDER-1", "OBX-DUR-5");

    @Rule("OBX-DUR-1")
    default void whatWasCommittedIsThereAfterACrash(TestOutbox outbox) throws Exception {
        for (int round = 0; round < 2; round++) {
            outbox.commit(TOPIC, 0, "a1", "a2");
            outbox.commit(TOPIC, 1, "b1");
            Writer open = outbox.begin();
            open.write(TOPIC, 1, "open");
            outbox.commit(TOPIC, 0, "a3");
            outbox.crash();
            closeDead(outbox, open);
            Client client = outbox.open();
            List<String> came = outbox.drain(client, Set.of("a1", "a2", "a3", "b1"));
            assertEquals(4, came.size(), "messages that came, of four that were committed: " + came);
            client.expectNothing("all was settled, and the open transaction died with the server");
        }
    }

    /** Writers commit more than workers can settle, while the server is killed again and again. */
    @Rule("OBX-DUR-1")
    default void underCrashesNothingIsLostSharedOrRepeated(TestOutbox outbox) throws Exception {
        Workload workload = new Workload(2, 1, 4, 30, 4, outbox.seed());
        try {
            long failures = 0;
            for (int tries = 0; tries < 3 && failures == 0; tries++) {
                History history = workload.withSeed(workload.seed() + tries).runThroughCrashes(outbox, 3);
                history.check(TestOutbox.has(outbox.open(), Capability.PARTITION_EXCLUSIVITY));
                outbox.saw(history.deliveries(), history.summary());
                failures = history.failures();
            }
            if (failures == 0) {
                throw new Inconclusive("no commit and no close was under way when the server died");
            }
            outbox.open().expectNothing("everything was settled", "workload");
        } catch (RuleViolation e) {
            throw new RuleViolation(
                    AFTER_A_CRASH.getOrDefault(e.rule(), e.rule()), e.getMessage() + "\n    " + workload);
        }
    }

    @Rule("OBX-DUR-2")
    default void whatWasSettledStaysSettledAfterACrash(TestOutbox outbox) throws Exception {
        outbox.commit(TOPIC, 0, "published", "left");
        outbox.commit(TOPIC, 1, "dead", "published too");
        Client client = outbox.open();
        Client.Batch batch = client.await(10);
        for (PersistedMessage message : batch.messages()) {
            switch (TestOutbox.text(message)) {
                case "left" -> {}
                case "dead" -> batch.bury(message);
                default -> batch.publish(message);
            }
        }
        assertEquals(4, batch.messages().size(), "messages in the batch");
        batch.close();
        outbox.crash();
        Client fresh = outbox.open();
        assertEquals(List.of("left"), outbox.drain(fresh, Set.of("left")), "what came after the crash");
        fresh.expectNothing("all was settled");
    }

    @Rule("OBX-DUR-3")
    default void attemptsDelaysAndDeadLettersSurviveACrash(TestOutbox outbox) throws Exception {
        outbox.commit(TOPIC, 0, "failed", "behind");
        outbox.commit(TOPIC, 1, "delayed");
        List<String> dead = outbox.commit(TOPIC, 2, "dead");
        try (Client.Batch batch = outbox.open().await(10)) {
            for (PersistedMessage message : batch.messages()) {
                switch (TestOutbox.text(message)) {
                    case "failed" -> batch.fail(message, Duration.ZERO);
                    case "delayed" -> batch.fail(message, Duration.ofHours(1));
                    case "dead" -> batch.bury(message);
                    default -> {}
                }
            }
            assertEquals(4, batch.messages().size(), "messages in the batch");
        }
        outbox.crash();
        Client client = outbox.open();
        try (Client.Batch batch = client.await(10)) {
            assertEquals(List.of("failed", "behind"), batch.texts(), "what came after the crash");
            assertEquals(1, batch.get(0).attempts(), "attempts of the message that failed before the crash");
            batch.publishAll();
        }
        client.expectNothing("the delay of the other partition goes on");
        if (!TestOutbox.has(client, Capability.OPERATIONS)) {
            return;
        }
        List<FailingPartition> failing = client.operations().failingPartitions();
        assertEquals(1, failing.size(), "failing partitions after the crash: " + failing);
        assertEquals("broker is away", failing.get(0).reason(), "the reason of the failure");
        assertTrue(client.operations().retryNow(TOPIC, 1), "whether there was a delay to end");
        try (Client.Batch batch = client.await(10)) {
            assertEquals(List.of("delayed"), batch.texts(), "what came once its delay was ended");
            assertEquals(1, batch.get(0).attempts(), "its attempts");
            batch.publishAll();
        }
        List<DeadLetter> letters = client.operations().deadLetters(TOPIC, null, 10);
        assertEquals(dead, letters.stream().map(l -> l.message().id()).toList(), "dead letters after the crash");
        assertEquals("cannot be read", letters.get(0).reason(), "the reason of the dead letter");
        assertEquals(1, client.operations().redrive(dead), "dead letters that were redriven");
        assertEquals(List.of("dead"), outbox.drain(client, Set.of("dead")), "what was redriven");
    }

    @Rule("OBX-DUR-4")
    default void aBatchThatSurvivesACrashIsClosedAsAWhole(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        outbox.commit(TOPIC, 0, "published", "published too");
        outbox.commit(TOPIC, 1, "failed");
        outbox.commit(TOPIC, 2, "dead");
        Client.Batch batch = client.await(10);
        for (PersistedMessage message : batch.messages()) {
            switch (TestOutbox.text(message)) {
                case "failed" -> batch.fail(message, Duration.ZERO);
                case "dead" -> batch.bury(message);
                default -> batch.publish(message);
            }
        }
        assertEquals(4, batch.messages().size(), "messages in the batch");
        outbox.crash();
        End end = NetworkRules.close(batch);
        boolean done = NetworkRules.settleWhatIsLeft(outbox, outbox.open(), end);
        outbox.record("the close ended with " + end + ", and the batch was " + (done ? "settled" : "released"));
    }

    @Rule("OBX-DUR-4")
    default void whatOthersGotAfterACrashIsNoLongerItsHolders(TestOutbox outbox) throws Exception {
        Client holder = outbox.open();
        outbox.commit(TOPIC, 0, "1", "2");
        Client.Batch stale = holder.await(10);
        stale.publishAll();
        outbox.crash();
        closeAfterOthersTried(outbox, stale);
    }

    @Rule("OBX-DUR-5")
    default void whatIsWrittenAfterACrashComesLast(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        List<String> dead = new ArrayList<>();
        outbox.commit(TOPIC, 0, "left");
        dead.add(outbox.commit(TOPIC, 1, "dead").get(0));
        outbox.commit(TOPIC, 2, "settled");
        try (Client.Batch batch = client.await(10)) {
            batch.bury(only(batch, "dead"));
            batch.publish(only(batch, "settled"));
        }
        client.expectNothingNow("nobody writes to it", "elsewhere"); // so that the close was not the last that it did
        outbox.crash();
        outbox.commit(TOPIC, 0, "after", "after that");
        dead.add(outbox.commit(TOPIC, 1, "dead too").get(0));
        outbox.commit(TOPIC, 2, "more");
        Set<String> missing = new HashSet<>(Set.of("left", "after", "after that", "dead too", "more"));
        List<String> inOrder = new ArrayList<>();
        // By the client that was there before, if it works again, because it may remember how far it had read.
        Client reader = worksAgain(client) ? client : outbox.open();
        while (!missing.isEmpty()) {
            try (Client.Batch batch = reader.await(10)) {
                for (PersistedMessage message : batch.messages()) {
                    if (TestOutbox.text(message).equals("dead too")) {
                        batch.bury(message);
                    } else {
                        batch.publish(message);
                    }
                }
                inOrder.addAll(batch.texts(TOPIC, 0));
                batch.texts().forEach(missing::remove);
            }
        }
        assertEquals(List.of("left", "after", "after that"), inOrder, "messages of a partition, in their order");
        outbox.open().expectNothing("all was settled");
        if (TestOutbox.has(client, Capability.OPERATIONS)) {
            assertEquals(
                    dead,
                    reader.operations().deadLetters(TOPIC, null, 10).stream()
                            .map(letter -> letter.message().id())
                            .toList(),
                    "dead letters from before and after the crash, those that died first coming first");
        }
    }

    @Rule("OBX-DUR-6")
    default void aClientThatWasOpenWorksAgain(TestOutbox outbox) throws Exception {
        aClientWorksAgainAfter(outbox, outbox::kill, outbox::restart);
    }

    /** Of a batch of "1" and "2", marked published, which was open when the server ended. */
    static void closeAfterOthersTried(TestOutbox outbox, Client.Batch stale) throws Exception {
        Client other = outbox.open();
        Client.Batch current = takeWithin(other, outbox.afterDeath());
        if (current == null) {
            assertTrue(stale.isHeld(), "isHeld of a hold that has outlived its server, and that nobody else could get");
            End end = NetworkRules.close(stale);
            outbox.record("nobody else got the messages, and the close ended with " + end);
            if (end == End.NOT_DONE) {
                outbox.drain(other, Set.of("1", "2"));
            } else {
                assertEquals(End.DONE, end, "the close of a batch that is held");
            }
        } else {
            outbox.eventually("isHeld of the batch that lost its hold is false", () -> stale.isHeld() ? null : true);
            assertNotEquals(End.DONE, NetworkRules.close(stale), "the close of a batch whose messages others have");
            assertTrue(current.isHeld(), "the new holder's hold after the stale close");
            assertEquals(List.of("1", "2"), current.texts(), "what the new holder got");
            current.publish(current.get(0));
            current.close();
            assertEquals(List.of("2"), outbox.drain(other, Set.of("2")), "what the new holder had released");
        }
        other.expectNothing("all was settled");
    }

    /** Whether a client works after an outage of the server. */
    static void aClientWorksAgainAfter(TestOutbox outbox, Runnable begin, Runnable end) throws Exception {
        Client client = outbox.open();
        WakeUpCounter wakeUps = TestOutbox.has(client, Capability.WAKE_UP) ? new WakeUpCounter(client) : null;
        outbox.commit(TOPIC, 0, "before");
        outbox.drain(client, Set.of("before"));
        client.expectNothingNow("all was settled");
        begin.run();
        FutureTask<Boolean> meanwhile = new FutureTask<>(() -> answers(client));
        Thread thread = new Thread(meanwhile, "tck-meanwhile");
        thread.setDaemon(true);
        thread.start();
        LockSupport.parkNanos(TestOutbox.QUIET.toNanos());
        end.run();
        long began = System.nanoTime();
        outbox.commit(TOPIC, 0, "after");
        try (Client.Batch batch = awaitAfterCrash(client)) {
            assertEquals(List.of("after"), batch.texts(), "what came after the outage");
            batch.publishAll();
        }
        if (TestOutbox.has(client, Capability.OPERATIONS)) {
            assertEquals(List.of(), client.operations().backlog(), "the backlog when all is settled");
        }
        assertSoon("the checkout and the close of a client", began);
        boolean answered = meanwhile.get(TestOutbox.patience().toSeconds(), TimeUnit.SECONDS);
        outbox.record("a checkout while the server was away " + (answered ? "waited for it" : "failed"));
        if (wakeUps != null) {
            int before = wakeUps.callsWhenQuiet();
            int written = 0;
            while (wakeUps.calls() == before) {
                assertSoon("a wake-up", began);
                outbox.commit(TOPIC, 0, "wake up " + written++);
                TestOutbox.pause();
            }
            Set<String> left = new HashSet<>();
            for (int i = 0; i < written; i++) {
                left.add("wake up " + i);
            }
            outbox.drain(client, left);
        }
        client.expectNothing("all was settled");
    }

    private static void assertSoon(String what, long began) {
        assertTrue(
                System.nanoTime() - began < LONGEST_RECOVERY.toNanos(),
                what + " did not work " + LONGEST_RECOVERY.toSeconds() + " s after the server did");
    }

    static PersistedMessage only(Client.Batch batch, String text) {
        List<PersistedMessage> found = batch.messages().stream()
                .filter(message -> TestOutbox.text(message).equals(text))
                .toList();
        assertEquals(1, found.size(), "messages '" + text + "' in a batch of " + batch.texts());
        return found.get(0);
    }

    /** Whether a client answers again before long. */
    static boolean worksAgain(Client client) {
        long end = System.nanoTime() + TestOutbox.patience().dividedBy(2).toNanos();
        while (System.nanoTime() < end) {
            if (answers(client)) {
                return true;
            }
            TestOutbox.pause();
        }
        return false;
    }

    private static boolean answers(Client client) {
        try {
            client.expectNothingNow("nobody writes to it", "elsewhere");
            return true;
        } catch (StoreException e) {
            return false;
        }
    }

    /** Checks out until there is something, by a client that has connections to a server that is no more. */
    private static Client.Batch awaitAfterCrash(Client client) throws Exception {
        return client.outbox().eventually("a client that was open before the crash gets messages", () -> {
            try {
                Client.Batch batch = client.checkout(10);
                if (!batch.messages().isEmpty()) {
                    return batch;
                }
                batch.close();
            } catch (StoreException e) {
                // It has not noticed yet that the server is back.
            }
            return null;
        });
    }

    /** A batch with messages, or null if there was none for so long. */
    private static Client.@Nullable Batch takeWithin(Client client, Duration time) {
        long end = System.nanoTime() + time.toNanos();
        while (true) {
            Client.Batch batch = client.checkout(10);
            if (!batch.messages().isEmpty()) {
                return batch;
            }
            batch.close();
            if (System.nanoTime() > end) {
                return null;
            }
            TestOutbox.pause();
        }
    }

    /** The connection of a transaction that was open when the server died can do no more than fail. */
    static void closeDead(TestOutbox outbox, Writer writer) {
        try {
            writer.close();
        } catch (IllegalStateException e) {
            outbox.record("the open transaction could not be closed: " + e.getCause());
        }
    }
}
