package dev.outbox.tck;

import static dev.outbox.tck.TestOutbox.TOPIC;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.tck.internal.process.ChildProcess;
import dev.outbox.tck.internal.spec.Level;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/** Batches stay open for long, and processes are paused with one in hand. */
@AtLevel(Level.CRASH)
interface PauseRules {
    @Rule("OBX-FENCE-4")
    default void aHoldLastsAsLongAsItsBatchIsOpen(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        List<String> ids = outbox.commit(TOPIC, 0, "1", "2");
        ChildProcess child = outbox.fork();
        child.ask("starve", "starving");
        assertEquals(ids, child.ask("checkout " + TOPIC + " 10", "holds"), "messages in the other process");
        Duration open =
                outbox.harness().lease().map(lease -> lease.multipliedBy(3)).orElse(TestOutbox.QUIET);
        for (long end = System.nanoTime() + open.toNanos(); System.nanoTime() < end; ) {
            client.expectNothing("the other process has an open batch, and runs");
        }
        assertEquals(List.of("true"), child.ask("held", "held"), "isHeld in a process that runs");
        child.ask("mark", "marked");
        child.ask("close", "closed");
        client.expectNothing("all was settled");
    }

    @Rule("OBX-FENCE-5")
    default void aPausedProcessKeepsItsHoldOrKnowsThatItIsLost(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        List<String> ids = outbox.commit(TOPIC, 0, "1", "2", "3");
        ChildProcess child = outbox.fork();
        assertEquals(ids, child.ask("checkout " + TOPIC + " 10", "holds"), "messages in the other process");
        child.ask("mark", "marked");
        child.pause();
        Optional<Duration> lease = outbox.harness().lease();
        if (lease.isEmpty()) {
            client.expectNothing("the hold of the paused process is bound to its connection, which is still there");
            child.resume();
            assertEquals(List.of("true"), child.ask("held", "held"), "isHeld in a process that kept its hold");
            child.ask("close", "closed");
            client.expectNothing("all was settled");
            return;
        }
        try (Client.Batch current = client.await(10)) {
            assertEquals(ids, current.ids(), "messages once the lease of " + lease.get() + " had run out");
            child.resume();
            // Also when the next renewal has been answered.
            for (long woken = System.nanoTime();
                    System.nanoTime() - woken < lease.get().toNanos(); ) {
                assertEquals(List.of("false"), child.ask("held", "held"), "isHeld in a process that lost its hold");
                TestOutbox.pause();
            }
            child.ask("close", "lost");
            assertTrue(current.isHeld(), "the new holder's hold after the stale close");
            current.publish(current.get(0));
        }
        assertEquals(List.of("2", "3"), outbox.drain(client, Set.of("2", "3")), "what the new holder left");
        client.expectNothing("all was settled");
    }
}
