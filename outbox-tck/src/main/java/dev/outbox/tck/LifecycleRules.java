package dev.outbox.tck;

import static dev.outbox.tck.TestOutbox.TOPIC;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.Capability;
import dev.outbox.MisuseException;
import dev.outbox.PersistedMessage;
import dev.outbox.WakeUps;
import dev.outbox.tck.internal.spec.Level;
import java.lang.ref.WeakReference;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.locks.LockSupport;

/** Stores are opened and closed, leak nothing, and keep nothing to themselves. */
@AtLevel(Level.CONTRACT)
interface LifecycleRules {
    @Rule("OBX-LIFE-1")
    default void closingAStoreTwiceDoesNothing(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        outbox.commit(TOPIC, 0, "1");
        outbox.drain(client, Set.of("1"));
        client.close();
        client.close();
        Client other = outbox.open();
        outbox.commit(TOPIC, 0, "2");
        outbox.drain(other, Set.of("2"));
        client.close();
        other.expectNothing("all was settled");
    }

    @Rule("OBX-LIFE-2")
    default void batchesLeakNothing(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        client.expectNothingNow("nothing was written yet");
        outbox.commit(TOPIC, 0, "stays");
        int threads = Thread.activeCount();
        for (int i = 0; i < 300; i++) {
            switch (i % 4) {
                case 0 -> client.expectNothingNow("there is no such topic", "empty");
                case 1 -> assertThrows(MisuseException.class, () -> client.checkout(0), "a checkout of nothing");
                case 2 -> {
                    Client.Batch batch = client.await(10);
                    PersistedMessage message = batch.get(0);
                    batch.close();
                    batch.close();
                    assertThrows(MisuseException.class, () -> batch.publish(message), "a mark after close");
                }
                default -> {
                    try (Client.Batch batch = outbox.promptly("Checkout " + i, () -> client.checkout(10))) {
                        batch.fail(batch.get(0), Duration.ZERO);
                    }
                }
            }
        }
        outbox.eventually(
                "as many threads as before 300 checkouts, or a few more: " + threads,
                () -> Thread.activeCount() <= threads + 4 ? true : null);
    }

    @Rule("OBX-LIFE-2")
    default void closedStoresLeakNothing(TestOutbox outbox) throws Exception {
        outbox.commit(TOPIC, 0, "1");
        try (Client first = outbox.open()) {
            first.await(10).close();
        }
        int threads = Thread.activeCount();
        for (int i = 0; i < 15; i++) {
            try (Client client = outbox.open()) {
                WakeUpCounter counter = client.store() instanceof WakeUps && TestOutbox.has(client, Capability.WAKE_UP)
                        ? new WakeUpCounter(client)
                        : null;
                Client.Batch batch = client.await(10);
                if (i % 2 == 0) {
                    batch.close();
                } else if (counter != null) {
                    counter.end(); // in time; the others end with the store
                }
            }
        }
        outbox.eventually(
                "as many threads as before 15 stores were opened and closed, or a few more: " + threads,
                () -> Thread.activeCount() <= threads + 5 ? true : null);
    }

    @Rule("OBX-LIFE-2")
    default void closedBatchesAreForgotten(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        List<WeakReference<Object>> seen = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            outbox.commit(TOPIC, i % 3, "m" + i);
            checkOutAndWatch(client, seen);
        }
        assertEquals(100, seen.size(), "batches with a message, and messages");
        outbox.eventually("the garbage collector takes closed batches and their messages, but for a few", () -> {
            System.gc();
            LockSupport.parkNanos(50_000_000);
            return seen.stream().filter(each -> each.get() != null).count() <= 10 ? true : null;
        });
    }

    /** In a method of its own, so that no variable keeps what it has seen. */
    private static void checkOutAndWatch(Client client, List<WeakReference<Object>> seen) {
        try (Client.Batch batch = client.checkout(10)) {
            batch.publishAll();
            seen.add(new WeakReference<>(batch.raw()));
            batch.messages().forEach(message -> seen.add(new WeakReference<>(message)));
        }
    }

    @Rule("OBX-LIFE-3")
    default void reopeningSeesEverything(TestOutbox outbox) throws Exception {
        Duration delay = Duration.ofMillis(1_500);
        long closing;
        try (Client client = outbox.open()) {
            outbox.commit(TOPIC, 0, "published", "failed", "behind");
            outbox.commit(TOPIC, 1, "dead", "next");
            outbox.commit(TOPIC, 2, "waits long");
            try (Client.Batch batch = client.await(100)) {
                for (PersistedMessage m : batch.messages()) {
                    switch (TestOutbox.text(m)) {
                        case "published" -> batch.publish(m);
                        case "failed" -> batch.fail(m, delay);
                        case "dead" -> batch.bury(m);
                        case "waits long" -> batch.fail(m, Duration.ofHours(1));
                        default -> {}
                    }
                }
                closing = System.nanoTime();
            }
        }
        Client client = outbox.open();
        try (Client.Batch batch = client.await(100)) {
            assertEquals(List.of("next"), batch.texts(TOPIC, 1), "partition 1 of a store that was opened again");
            // Opening may have taken longer than the delay.
            boolean early = System.nanoTime() - closing < delay.toNanos();
            assertTrue(
                    !early || batch.messages().size() == 1, "before the delay was over, there came " + batch.texts());
            batch.messages().stream().filter(m -> m.partition() == 1).forEach(batch::publish);
        }
        outbox.eventually("the partition whose delay is over", () -> {
            try (Client.Batch batch = client.checkout(100)) {
                if (batch.messages().isEmpty()) {
                    return null;
                }
                assertEquals(List.of("failed", "behind"), batch.texts(), "what comes after the delay");
                assertEquals(1, batch.get(0).attempts(), "its attempts");
                batch.publishAll();
                return true;
            }
        });
        client.expectNothing("one partition still waits, the others are empty");
    }

    @Rule("OBX-LIFE-4")
    default void aClosedStoreRefusesCheckouts(TestOutbox outbox) throws Exception {
        Client client = outbox.open();
        outbox.commit(TOPIC, 0, "1");
        assertEquals(List.of("1"), client.publishAll(10), "messages before it is closed");
        client.close();
        MisuseException refusal = assertThrows(
                MisuseException.class,
                () -> outbox.promptly("A checkout of a closed store", () -> client.checkout(10)),
                "a checkout of a closed store");
        assertTrue(refusal.getMessage().contains("closed"), "the refusal says that it is closed: " + refusal);
    }

    @Rule("OBX-LIFE-5")
    default void clientsSeeEachOther(TestOutbox outbox) throws Exception {
        Client one = outbox.open();
        Client two = outbox.open();
        one.expectNothingNow("nothing was written yet");
        two.expectNothingNow("nothing was written yet");
        for (int i = 0; i < 20; i++) {
            Client active = i % 2 == 0 ? one : two;
            Client passive = i % 2 == 0 ? two : one;
            outbox.commit(TOPIC, 0, "m" + i, "n" + i);
            try (Client.Batch batch = active.checkout(1)) {
                assertEquals(List.of("m" + i), batch.texts(), "what one client sees of round " + i);
                batch.publishAll();
            }
            assertEquals(List.of("n" + i), passive.publishAll(10), "what the other client left in round " + i);
            active.expectNothingNow("the other client settled the rest");
        }
    }
}
