package dev.outbox.tck;

import static dev.outbox.tck.TestOutbox.TOPIC;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.HoldLostException;
import dev.outbox.tck.internal.spec.Level;
import java.util.List;
import java.util.Set;

/** A batch that has lost its hold changes nothing. Holds are lost here by closing the store under an open batch. */
@AtLevel(Level.CONTRACT)
interface FencingRules {
    @Rule("OBX-FENCE-1")
    default void closingALostBatchThrowsAndChangesNothing(TestOutbox outbox) throws Exception {
        Client one = outbox.open();
        Client two = outbox.open();
        outbox.commit(TOPIC, 0, "1", "2");
        Client.Batch lost = one.await(10);
        lost.publishAll();
        one.close();
        assertThrows(HoldLostException.class, lost::close, "closing a batch that lost its hold");
        lost.close();
        outbox.drain(two, Set.of("1", "2"));
    }

    @Rule("OBX-FENCE-1")
    default void aStaleCloseDoesNotTouchTheNewHolder(TestOutbox outbox) throws Exception {
        Client one = outbox.open();
        Client two = outbox.open();
        Client three = outbox.open();
        outbox.commit(TOPIC, 0, "1", "2");
        Client.Batch stale = one.await(10);
        stale.publishAll();
        one.close();
        try (Client.Batch current = two.await(10)) {
            assertThrows(HoldLostException.class, stale::close, "closing after another client took the messages over");
            three.expectNothing("the new holder's batch is open");
            assertTrue(current.isHeld(), "the new holder's hold after the stale close");
            current.publish(current.get(0));
        }
        assertEquals(List.of("2"), three.publishAll(10), "what the new holder left");
    }

    @Rule("OBX-FENCE-2")
    default void whatAClosedStoreHeldComesAgain(TestOutbox outbox) throws Exception {
        Client one = outbox.open();
        Client two = outbox.open();
        outbox.commit(TOPIC, 0, "1");
        outbox.commit(TOPIC, 1, "2");
        one.await(1);
        one.await(1);
        one.close();
        outbox.drain(two, Set.of("1", "2"));
    }

    @Rule("OBX-FENCE-3")
    default void isHeldIsTrueWhileOpenAndFalseAfterwards(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        outbox.commit(TOPIC, 0, "1");
        Client.Batch batch = client.await(10);
        assertTrue(batch.isHeld(), "isHeld of an open batch");
        batch.publishAll();
        assertTrue(batch.isHeld(), "isHeld after marks");
        batch.close();
        assertFalse(batch.isHeld(), "isHeld after close");
    }

    @Rule("OBX-FENCE-3")
    default void isHeldIsFalseOnceTheHoldIsKnownToBeLost(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        outbox.commit(TOPIC, 0, "1");
        Client.Batch batch = client.await(10);
        client.close();
        assertFalse(batch.isHeld(), "isHeld after the store was closed");
    }
}
