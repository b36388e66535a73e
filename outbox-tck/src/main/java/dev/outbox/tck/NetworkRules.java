package dev.outbox.tck;

import static dev.outbox.tck.TestOutbox.TOPIC;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.HoldLostException;
import dev.outbox.OutboxException;
import dev.outbox.OutgoingMessage;
import dev.outbox.StoreException;
import dev.outbox.tck.internal.network.FaultyProxy.Direction;
import dev.outbox.tck.internal.network.FaultyProxy.Fault;
import dev.outbox.tck.internal.network.FaultyProxy.Treatment;
import dev.outbox.tck.internal.record.Inconclusive;
import dev.outbox.tck.internal.spec.Level;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.IntSupplier;

/** The same rules, while the network between clients and backend delays, cuts and loses. */
@AtLevel(Level.NETWORK)
interface NetworkRules {
    /** The ten seconds of the rule, and what a busy machine needs to say so. */
    Duration LONGEST_BELIEF = Duration.ofSeconds(12);

    /** More pieces than any close or commit should need. */
    int MOST_PIECES = 100;

    /** One after the other is lost of the answers that a close waits for, the one to the commit among them. */
    @Rule("OBX-CLOSE-1")
    default void aCloseWhoseAnswerIsLostIsDoneOrNot(TestOutbox outbox) throws Exception {
        // Into how many pieces an answer falls is up to the machine.
        for (int tries = 0; tries < 3; tries++) {
            if (closeWithEveryLoss(outbox, Direction.REPLIES) > 0) {
                return;
            }
        }
        throw new Inconclusive("no answer was lost after its close had taken effect");
    }

    @Rule("OBX-CLOSE-1")
    default void aCloseWhoseRequestIsLostIsDoneOrNot(TestOutbox outbox) throws Exception {
        closeWithEveryLoss(outbox, Direction.REQUESTS);
    }

    /** Returns how many of the closes with a loss took effect. */
    private static int closeWithEveryLoss(TestOutbox outbox, Direction direction) throws Exception {
        Network network = outbox.network();
        Client direct = outbox.open();
        int done = 0;
        for (int pass = 0; pass < MOST_PIECES; pass++) {
            outbox.commit(TOPIC, 0, "published", "published too");
            outbox.commit(TOPIC, 1, "failed");
            outbox.commit(TOPIC, 2, "dead");
            Client remote = outbox.open(network);
            Client.Batch batch = remote.await(100);
            batch.messages().forEach(m -> {
                switch (m.partition()) {
                    case 0 -> batch.publish(m);
                    case 1 -> batch.fail(m, Duration.ZERO);
                    default -> batch.bury(m);
                }
            });
            assertEquals(4, batch.messages().size(), "messages in the batch");
            Fault fault = new Fault(direction, pass);
            network.proxy().arm(fault);
            End end = close(batch);
            boolean struck = fault.struck();
            network.proxy().arm(new Fault(direction, Integer.MAX_VALUE));
            outbox.record("piece " + (pass + 1) + " of the " + direction
                    + (struck ? " was lost: " : " was never sent: ") + end);
            assertFalse(batch.isHeld(), "isHeld after close");
            remote.close();
            if (settleWhatIsLeft(outbox, direct, end) && struck) {
                done++;
            }
            if (!struck) {
                assertEquals(End.DONE, end, "a close without a loss");
                assertTrue(pass > 0, "a close that says nothing through the proxy; does all of it go that way?");
                return done;
            }
        }
        throw new AssertionError("A close still waited for an answer after " + MOST_PIECES);
    }

    /** How a call ended that changes something. */
    enum End {
        DONE,
        NOT_DONE,
        UNKNOWN
    }

    /** Closes a batch, and tells how that ended. */
    static End close(Client.Batch batch) {
        try {
            batch.close();
            return End.DONE;
        } catch (HoldLostException e) {
            return End.NOT_DONE;
        } catch (StoreException e) {
            return End.UNKNOWN;
        }
    }

    /** Returns whether the outcomes of the batch took effect, all of them; fails if it was some. */
    static boolean settleWhatIsLeft(TestOutbox outbox, Client direct, End end) throws Exception {
        Set<String> left = new HashSet<>();
        int attempts = outbox.eventually("the message that failed, or was released, comes again", () -> {
            Integer found = null;
            try (Client.Batch batch = direct.checkout(100)) {
                left.addAll(batch.texts());
                for (var message : batch.messages()) {
                    found = TestOutbox.text(message).equals("failed") ? (Integer) message.attempts() : found;
                }
                batch.publishAll();
            }
            return found;
        });
        boolean done = attempts == 1;
        assertTrue(
                end == End.UNKNOWN || done == (end == End.DONE),
                "the close ended with " + end + ", and the message" + " that failed has attempts " + attempts);
        left.remove("failed");
        if (done) {
            assertEquals(Set.of(), left, "messages of a close that has counted an attempt");
        } else {
            Set<String> missing = new HashSet<>(Set.of("published", "published too", "dead"));
            missing.removeAll(left);
            outbox.drain(direct, missing);
        }
        direct.expectNothing("all was settled");
        return done;
    }

    /** The application cannot know what became of its transaction; the outbox has all of it or nothing. */
    @Rule("OBX-TX-1")
    default void aCommitWhoseAnswerIsLostIsWholeOrNothing(TestOutbox outbox) throws Exception {
        Network network = outbox.network();
        Client direct = outbox.open();
        int committed = 0;
        for (int pass = 0; pass < MOST_PIECES; pass++) {
            Fault fault = new Fault(Direction.REPLIES, pass);
            boolean failed = false;
            try (Writer writer = outbox.begin(network)) {
                writer.write(TOPIC, 0, "a");
                writer.write(TOPIC, 1, "b");
                writer.write(TOPIC, 1, "c");
                network.proxy().arm(fault);
                try {
                    writer.commit();
                } catch (Exception e) {
                    outbox.record("the commit failed: " + e);
                    failed = true;
                }
            } catch (IllegalStateException e) {
                outbox.record("the transaction could not be closed: " + e.getCause());
            }
            boolean struck = fault.struck();
            network.proxy().arm(new Fault(Direction.REPLIES, Integer.MAX_VALUE));
            outbox.commit(TOPIC, 2, "marker " + pass);
            Set<String> came = new HashSet<>(outbox.drain(direct, Set.of("marker " + pass)));
            direct.expectNothing("all was settled");
            came.remove("marker " + pass);
            assertTrue(
                    came.isEmpty() || came.equals(Set.of("a", "b", "c")),
                    "of the transaction whose commit was not answered, these came: " + came);
            assertTrue(failed || !came.isEmpty(), "a commit returned, and nothing of it came");
            committed += struck && !came.isEmpty() ? 1 : 0;
            if (!struck) {
                assertFalse(failed, "a commit without a loss failed");
                if (committed == 0) {
                    throw new Inconclusive("no answer was lost after its commit had taken effect");
                }
                return;
            }
        }
        throw new AssertionError("A commit still waited for an answer after " + MOST_PIECES);
    }

    @Rule("OBX-FENCE-1")
    default void aClientThatWasCutOffHarmsNobody(TestOutbox outbox) throws Exception {
        Network network = outbox.network();
        Client direct = outbox.open();
        Client remote = outbox.open(network);
        outbox.commit(TOPIC, 0, "1", "2", "3");
        Client.Batch stale = remote.await(10);
        stale.publishAll();
        network.proxy().goAway();
        try (Client.Batch current = direct.await(10)) {
            assertEquals(List.of("1", "2", "3"), current.texts(), "messages of a client that was cut off");
            network.proxy().comeBack(); // a client that reconnects must not settle messages of the new holder
            assertCloseFails(network, stale);
            assertTrue(current.isHeld(), "the new holder's hold after the stale close");
            current.publish(current.get(0));
        }
        assertFalse(stale.isHeld(), "isHeld after the connection was found to be lost");
        outbox.drain(direct, Set.of("2", "3"));
        direct.expectNothing("all was settled");
    }

    /** The server has seen the connection end, and the client has not. */
    @Rule("OBX-FENCE-1")
    default void aClientOfAHalfOpenConnectionHarmsNobody(TestOutbox outbox) throws Exception {
        Network network = outbox.network();
        Client direct = outbox.open();
        Client remote = outbox.open(network);
        outbox.commit(TOPIC, 0, "1", "2", "3");
        Client.Batch stale = remote.await(10);
        stale.publishAll();
        network.proxy().goAwayInSilence();
        try (Client.Batch current = direct.await(10)) {
            assertEquals(List.of("1", "2", "3"), current.texts(), "messages of a client that the server has lost");
            network.proxy().comeBack();
            assertCloseFails(network, stale);
            assertTrue(current.isHeld(), "the new holder's hold after the stale close");
            current.publish(current.get(0));
        }
        outbox.drain(direct, Set.of("2", "3"));
        direct.expectNothing("all was settled");
    }

    /** If it hears nothing and goes on waiting, its operating system would give up some time: here it does so soon. */
    private static void assertCloseFails(Network network, Client.Batch stale) throws Exception {
        FutureTask<String> closing = new FutureTask<>(() -> {
            try {
                stale.close();
                return "returned";
            } catch (OutboxException e) {
                return e instanceof HoldLostException || e instanceof StoreException ? "failed" : e.toString();
            }
        });
        Thread thread = new Thread(closing, "tck-stale-close");
        thread.setDaemon(true);
        thread.start();
        String end;
        try {
            end = closing.get(1, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            network.proxy().cut();
            end = closing.get(TestOutbox.patience().toSeconds(), TimeUnit.SECONDS);
        }
        assertEquals("failed", end, "the close of a batch whose connection is gone");
    }

    /** It neither closes nor calls anything else, as a relay in the middle of publishing. */
    @Rule("OBX-FENCE-3")
    default void aClientThatWasCutOffStopsToBelieveInItsHold(TestOutbox outbox) throws Exception {
        Network network = outbox.network();
        Client direct = outbox.open();
        Client remote = outbox.open(network);
        outbox.commit(TOPIC, 0, "1", "2");
        Client.Batch stale = remote.await(10);
        assertTrue(stale.isHeld(), "isHeld of an open batch");
        network.proxy().goAway();
        try (Client.Batch current = direct.await(10)) {
            long taken = System.nanoTime();
            network.proxy().comeBack(); // a client that reconnects must not take what it finds for its own
            while (stale.isHeld()) {
                assertTrue(
                        System.nanoTime() - taken < LONGEST_BELIEF.toNanos(),
                        "isHeld " + LONGEST_BELIEF.toSeconds() + " seconds after another client got the messages");
                TestOutbox.pause();
            }
            current.publishAll();
        }
        assertFalse(stale.isHeld(), "isHeld once it was false");
        direct.expectNothing("all was settled");
    }

    @Rule("OBX-CLOSE-2")
    default void whatACutOffClientHeldComesBackComplete(TestOutbox outbox) throws Exception {
        Network network = outbox.network();
        Client direct = outbox.open();
        Client remote = outbox.open(network);
        outbox.commit(TOPIC, 0, "1", "2");
        outbox.commit(TOPIC, 1, "3");
        Client.Batch lost = remote.await(10);
        lost.fail(lost.get(0), Duration.ofHours(1));
        direct.expectNothing("the other client holds everything");
        network.proxy().goAway(); // with a lease, a client that can reconnect goes on holding what it has
        outbox.drain(direct, Set.of("1", "2", "3"));
        direct.expectNothing("all was settled");
    }

    @Rule("OBX-EXCL-2")
    default void aClientThatIsStalledHindersNobody(TestOutbox outbox) throws Exception {
        Network network = outbox.network();
        Client direct = outbox.open();
        Client remote = outbox.open(network);
        outbox.commit(TOPIC, 0, "held");
        Client.Batch batch = remote.await(10);
        batch.publishAll();
        network.proxy().stall();
        FutureTask<Boolean> closing = new FutureTask<>(() -> {
            try {
                batch.close();
                return true;
            } catch (HoldLostException e) {
                if (outbox.harness().lease().isEmpty()) {
                    throw e;
                }
                return false; // stalled for longer than its lease
            }
        });
        Thread thread = new Thread(closing, "tck-stalled-close");
        thread.setDaemon(true);
        thread.start();
        outbox.promptly("A commit beside a client that is stalled", () -> outbox.commit(TOPIC, 1, "free"));
        assertEquals(
                List.of("free"),
                outbox.promptly("A checkout beside a client that is stalled", () -> direct.publishAll(10)),
                "what is free");
        network.proxy().flow();
        if (!closing.get(TestOutbox.patience().toSeconds(), TimeUnit.SECONDS)) {
            outbox.drain(direct, Set.of("held"));
        }
        direct.expectNothing("all was settled");
    }

    @Rule("OBX-PAYLOAD-1")
    default void messagesComeBackWholeThroughASlowNetwork(TestOutbox outbox) throws Exception {
        Network network = outbox.network();
        byte[] payload = new byte[20_000];
        new Random(payload.length).nextBytes(payload);
        network.proxy().treat(() -> new Treatment(20_000, 97, null));
        Map<String, String> headers = Map.of("a", PayloadRules.STRANGE, "b", "");
        try (Writer writer = outbox.begin(network)) {
            writer.write(new OutgoingMessage(TOPIC, 0, "key", headers, payload));
            writer.write(TOPIC, 0, "behind");
            writer.commit();
        }
        try (Client.Batch batch = outbox.open(network).await(10)) {
            assertEquals(2, batch.messages().size(), "messages");
            assertEquals("key", batch.get(0).key(), "key");
            assertEquals(headers, batch.get(0).headers(), "headers");
            assertArrayEquals(payload, batch.get(0).payload(), "payload");
            batch.publishAll();
        }
        outbox.open().expectNothing("all was settled");
    }

    /** Connections are slow, dripping, and cut now and then, after a request or an answer was lost. */
    @Rule("OBX-EXCL-1")
    default void underFaultsNobodySharesOrLosesAMessage(TestOutbox outbox) throws Exception {
        Network network = outbox.network();
        ConcurrencyRules.check(outbox, new Workload(3, 1, 2, 60, 3, outbox.seed()), network);
    }

    /** Lets trouble begin, afresh; returns how many connections it has cut. */
    static IntSupplier trouble(long seed, TestOutbox outbox, Network network) {
        Random random = new Random(seed);
        List<Fault> faults = new ArrayList<>();
        // What a client held whose connection was cut waits for the end of its lease, so that few are enough.
        int most = outbox.harness().lease().isPresent() ? 16 : Integer.MAX_VALUE;
        network.proxy().treat(() -> {
            synchronized (random) {
                Direction direction = random.nextBoolean() ? Direction.REQUESTS : Direction.REPLIES;
                Fault fault = new Fault(direction, 10 + random.nextInt(150));
                boolean enough = faults.stream().filter(Fault::struck).count() >= most;
                if (!enough) {
                    faults.add(fault);
                }
                return new Treatment(
                        random.nextInt(3) == 0 ? random.nextInt(500_000) : 0,
                        random.nextInt(4) == 0 ? 200 : 64 * 1024,
                        enough ? null : fault);
            }
        });
        return () -> {
            synchronized (random) {
                return (int) faults.stream().filter(Fault::struck).count();
            }
        };
    }
}
