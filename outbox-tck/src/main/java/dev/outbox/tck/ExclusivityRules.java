package dev.outbox.tck;

import static dev.outbox.tck.TestOutbox.TOPIC;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.tck.internal.spec.Level;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.FutureTask;

/** A message is in one open batch at most. */
@AtLevel(Level.CONTRACT)
interface ExclusivityRules {
    @Rule("OBX-EXCL-1")
    default void aHeldMessageIsGivenToNobodyElse(TestOutbox outbox) throws Exception {
        Client one = outbox.open();
        Client two = outbox.open();
        outbox.commit(TOPIC, 0, "a");
        outbox.commit(TOPIC, 1, "b");
        try (Client.Batch batch = one.await(10)) {
            assertEquals(Set.of("a", "b"), new HashSet<>(batch.texts()), "messages in the first batch");
            one.expectNothingNow("its own open batch holds everything");
            two.expectNothing("another client's open batch holds everything");
            batch.publish(batch.get(0));
        }
        try (Client.Batch batch = two.checkout(10)) {
            assertEquals(1, batch.messages().size(), "messages left after one of two was settled");
            one.expectNothingNow("another client's open batch holds the message");
        }
    }

    @Rule("OBX-EXCL-1")
    default void openBatchesShareNoMessage(TestOutbox outbox) throws Exception {
        Client one = outbox.open();
        Client two = outbox.open();
        Set<String> expected = new HashSet<>();
        for (int partition = 0; partition < 4; partition++) {
            for (int i = 0; i < 3; i++) {
                String text = partition + "." + i;
                outbox.commit(TOPIC, partition, text);
                expected.add(text);
            }
        }
        List<Client.Batch> open = new ArrayList<>();
        List<String> held = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            Client.Batch batch = (i % 2 == 0 ? one : two).checkout(2);
            open.add(batch);
            held.addAll(batch.texts());
        }
        assertEquals(held.size(), new HashSet<>(held).size(), "different messages in four open batches: " + held);
        open.forEach(Client.Batch::publishAll);
        open.forEach(Client.Batch::close);
        Set<String> left = new HashSet<>(expected);
        held.forEach(left::remove);
        outbox.drain(one, left);
        two.expectNothing("all was settled");
    }

    @Rule("OBX-EXCL-1")
    default void aReleasedMessageIsGivenToTheNext(TestOutbox outbox) throws Exception {
        Client one = outbox.open();
        Client two = outbox.open();
        outbox.commit(TOPIC, 0, "a");
        one.await(10).close();
        try (Client.Batch batch = two.checkout(10)) {
            assertEquals(List.of("a"), batch.texts(), "messages for another client right after a release");
        }
    }

    @Rule("OBX-EXCL-2")
    default void aCheckoutDoesNotWaitForABatch(TestOutbox outbox) throws Exception {
        Client one = outbox.open();
        Client two = outbox.open();
        outbox.commit(TOPIC, 0, "held");
        try (Client.Batch batch = one.await(10)) {
            outbox.promptly("A checkout while all is held", () -> {
                two.expectNothingNow("another client's open batch holds the message");
                return true;
            });
            outbox.commit(TOPIC, 1, "free");
            List<String> free = outbox.promptly("A checkout beside an open batch", () -> two.publishAll(10));
            assertEquals(List.of("free"), free, "messages of the partition that nobody holds");
            batch.publishAll();
        }
    }

    @Rule("OBX-EXCL-2")
    default void twoCheckoutsAtATimeDoNotBlockEachOther(TestOutbox outbox) throws Exception {
        Client one = outbox.open();
        Client two = outbox.open();
        Set<String> texts = Set.of("0", "1", "2", "3");
        for (String text : texts) {
            outbox.commit(TOPIC, Integer.parseInt(text), text);
        }
        for (int round = 0; round < 20; round++) {
            CyclicBarrier together = new CyclicBarrier(2);
            FutureTask<Integer> first = checkoutAndRelease(together, one);
            FutureTask<Integer> second = checkoutAndRelease(together, two);
            int both = outbox.promptly("Two checkouts at a time", () -> first.get() + second.get());
            assertTrue(both <= 8, "two checkouts of at most 4 messages have " + both);
        }
        outbox.drain(one, texts);
    }

    private static FutureTask<Integer> checkoutAndRelease(CyclicBarrier together, Client client) {
        FutureTask<Integer> task = new FutureTask<>(() -> {
            together.await();
            try (Client.Batch batch = client.checkout(4)) {
                return batch.messages().size();
            }
        });
        Thread thread = new Thread(task, "tck-checkout");
        thread.setDaemon(true);
        thread.start();
        return task;
    }

    @Rule("OBX-EXCL-3")
    default void aPartitionWithoutMessagesIsNotHeld(TestOutbox outbox) throws Exception {
        Client one = outbox.open();
        Client two = outbox.open();
        for (int round = 0; round < 10; round++) {
            outbox.commit(TOPIC, 0, "drained");
            outbox.commit(TOPIC, 1, "drained");
            assertEquals(
                    List.of("drained", "drained"), one.publishAll(2), "messages of two partitions, empty afterwards");
            outbox.commit(TOPIC, 1, "slow");
            try (Client.Batch batch = one.await(10)) {
                assertEquals(List.of("slow"), batch.texts(), "all there is");
                outbox.commit(TOPIC, 0, "urgent");
                List<String> urgent = outbox.promptly("A checkout beside an open batch", () -> two.publishAll(10));
                assertEquals(List.of("urgent"), urgent, "messages of a partition that the open batch has none of");
                batch.publishAll();
            }
        }
    }
}
