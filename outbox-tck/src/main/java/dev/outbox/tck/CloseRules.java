package dev.outbox.tck;

import static dev.outbox.tck.TestOutbox.TOPIC;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.HoldLostException;
import dev.outbox.MisuseException;
import dev.outbox.PersistedMessage;
import dev.outbox.tck.internal.spec.Level;
import java.time.Duration;
import java.util.List;

/** Outcomes take effect together when the batch is closed, and not before. */
@AtLevel(Level.CONTRACT)
interface CloseRules {
    @Rule("OBX-CLOSE-1")
    default void marksDoNothingBeforeClose(TestOutbox outbox) throws Exception {
        Client one = outbox.open();
        Client two = outbox.open();
        outbox.commit(TOPIC, 0, "published", "failed", "dead", "unmarked");
        Client.Batch batch = one.await(10);
        batch.publish(batch.get(0));
        batch.fail(batch.get(1), Duration.ofHours(1));
        batch.bury(batch.get(2));
        one.close();
        try (Client.Batch again = two.await(10)) {
            assertEquals(
                    List.of("published", "failed", "dead", "unmarked"),
                    again.texts(),
                    "messages after a client with marks, but without close, went away");
            assertTrue(
                    again.messages().stream().allMatch(m -> m.attempts() == 0), "no attempt was counted before close");
        }
        assertThrows(HoldLostException.class, batch::close, "closing the batch of a store that was closed");
    }

    @Rule("OBX-CLOSE-1")
    default void allOutcomesOfABatchTakeEffect(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        outbox.commit(TOPIC, 0, "published", "unmarked");
        outbox.commit(TOPIC, 1, "failed", "behind it");
        outbox.commit(TOPIC, 2, "dead", "next");
        outbox.commit(TOPIC, 3, "retried at once");
        try (Client.Batch batch = client.await(100)) {
            assertEquals(7, batch.messages().size(), "messages in the batch: " + batch.texts());
            for (PersistedMessage m : batch.messages()) {
                switch (TestOutbox.text(m)) {
                    case "published" -> batch.publish(m);
                    case "failed" -> batch.fail(m, Duration.ofHours(1));
                    case "dead" -> batch.bury(m);
                    case "retried at once" -> batch.fail(m, Duration.ZERO);
                    default -> {}
                }
            }
        }
        try (Client.Batch batch = client.checkout(100)) {
            assertEquals(List.of("unmarked"), batch.texts(TOPIC, 0), "partition 0, its head published");
            assertEquals(List.of(), batch.texts(TOPIC, 1), "partition 1, its head failed");
            assertEquals(List.of("next"), batch.texts(TOPIC, 2), "partition 2, its head a dead letter");
            assertEquals(List.of("retried at once"), batch.texts(TOPIC, 3), "partition 3, failed without delay");
        }
    }

    @Rule("OBX-CLOSE-2")
    default void aBatchThatIsNeverClosedComesBackComplete(TestOutbox outbox) throws Exception {
        Client one = outbox.open();
        outbox.commit(TOPIC, 0, "1", "2", "3");
        Client.Batch lost = one.await(10);
        lost.publish(lost.get(1));
        one.close();
        Client two = outbox.open();
        try (Client.Batch batch = two.await(10)) {
            assertEquals(List.of("1", "2", "3"), batch.texts(), "messages after the first client went away");
        }
    }

    @Rule("OBX-CLOSE-3")
    default void closingAgainDoesNothing(TestOutbox outbox) throws Exception {
        Client one = outbox.open();
        Client two = outbox.open();
        outbox.commit(TOPIC, 0, "1", "2");
        Client.Batch first = one.await(10);
        first.publish(first.get(0));
        first.close();
        first.close();
        try (Client.Batch second = two.checkout(10)) {
            assertEquals(List.of("2"), second.texts(), "messages after the first was settled");
            first.close();
            one.expectNothingNow("the other client holds the partition, and the old batch was closed before");
            assertTrue(second.isHeld(), "the other client's hold after an old batch was closed again");
            second.publishAll();
        }
        one.expectNothing("all was settled");
    }

    @Rule("OBX-CLOSE-4")
    default void aMarkAfterCloseIsRefused(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        outbox.commit(TOPIC, 0, "1");
        Client.Batch batch = client.await(10);
        PersistedMessage message = batch.get(0);
        batch.close();
        assertThrows(MisuseException.class, () -> batch.publish(message), "markPublished after close");
        assertThrows(MisuseException.class, () -> batch.fail(message, Duration.ZERO), "markFailed after close");
        assertThrows(MisuseException.class, () -> batch.bury(message), "deadLetter after close");
        assertEquals(List.of("1"), client.publishAll(10), "the message was released");
    }

    @Rule("OBX-CLOSE-4")
    default void aMarkOfAnotherBatchIsRefused(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        outbox.commit(TOPIC, 0, "1");
        PersistedMessage earlier;
        try (Client.Batch batch = client.await(10)) {
            earlier = batch.get(0);
        }
        outbox.commit(TOPIC, 1, "other");
        try (Client.Batch batch = client.checkout(10)) {
            assertThrows(
                    MisuseException.class, () -> batch.publish(earlier), "a mark with the object of an earlier batch");
            assertThrows(MisuseException.class, () -> batch.fail(earlier, Duration.ZERO), "the same, failed");
            assertThrows(MisuseException.class, () -> batch.bury(earlier), "the same, a dead letter");
        }
        try (Client.Batch batch = client.checkout(10)) {
            assertEquals(2, batch.messages().size(), "messages after marks that were refused");
        }
    }

    @Rule("OBX-CLOSE-4")
    default void aSecondMarkIsRefusedAndTheFirstStands(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        outbox.commit(TOPIC, 0, "1");
        try (Client.Batch batch = client.await(10)) {
            PersistedMessage message = batch.get(0);
            batch.publish(message);
            assertThrows(MisuseException.class, () -> batch.publish(message), "a second mark");
            assertThrows(MisuseException.class, () -> batch.fail(message, Duration.ZERO), "a second, other mark");
            assertThrows(MisuseException.class, () -> batch.bury(message), "a third mark");
        }
        client.expectNothing("the message was published");
    }

    @Rule("OBX-CLOSE-5")
    default void anEmptyBatchIsABatch(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        Client.Batch empty = client.checkout(10);
        assertEquals(List.of(), empty.messages(), "messages of an empty outbox");
        outbox.commit(TOPIC, 0, "1");
        try (Client.Batch batch = client.checkout(10)) {
            assertEquals(List.of("1"), batch.texts(), "messages while an empty batch is open");
            assertThrows(MisuseException.class, () -> empty.publish(batch.get(0)), "a mark on an empty batch");
        }
        empty.close();
        empty.close();
    }

    @Rule("OBX-CLOSE-6")
    default void marksMayComeInAnyOrder(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        outbox.commit(TOPIC, 0, "1", "2", "3", "4", "5", "6");
        try (Client.Batch batch = client.await(10)) {
            batch.publish(batch.get(4));
            batch.bury(batch.get(1));
            batch.publish(batch.get(3));
            batch.publish(batch.get(0));
        }
        assertEquals(List.of("3", "6"), client.publishAll(10), "after 5, 2, 4 and 1 were marked, in this order");
    }

    @Rule("OBX-CLOSE-6")
    default void theListOfMessagesStaysAndCannotBeChanged(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        outbox.commit(TOPIC, 0, "1", "2");
        try (Client.Batch batch = client.await(10)) {
            List<PersistedMessage> messages = batch.messages();
            assertThrows(RuntimeException.class, () -> messages.remove(0), "removing from messages()");
            batch.publish(batch.get(0));
            assertTrue(messages == batch.messages(), "messages() always returns the same list");
            assertEquals(2, messages.size(), "messages after a mark");
        }
    }
}
