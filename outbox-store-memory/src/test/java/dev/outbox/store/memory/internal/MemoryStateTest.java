package dev.outbox.store.memory.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.HoldLostException;
import dev.outbox.Operations.Backlog;
import dev.outbox.OutgoingMessage;
import dev.outbox.Partitioner;
import dev.outbox.PersistedMessage;
import dev.outbox.spi.Outcome;
import dev.outbox.store.memory.internal.MemoryState.Hold;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Leases and moves, step by step, and without a clock that has to go on. */
class MemoryStateTest {
    private final MemoryState state = new MemoryState(Duration.ofHours(1));

    private void commit(String topic, int partition, @Nullable String key, String... texts) {
        List<MemoryState.Written> written = new ArrayList<>();
        for (String text : texts) {
            byte[] payload = text.getBytes(StandardCharsets.UTF_8);
            written.add(state.write(new OutgoingMessage(topic, partition, key, Map.of(), payload)));
        }
        state.commit(written);
    }

    private static String text(PersistedMessage message) {
        return new String(message.payload(), StandardCharsets.UTF_8);
    }

    private static List<String> texts(Hold hold) {
        return hold.messages.stream().map(MemoryStateTest::text).toList();
    }

    private static List<Outcome> published(Hold hold) {
        return hold.messages.stream()
                .<Outcome>map(message -> new Outcome.Published(message, null))
                .toList();
    }

    private static List<Outcome> failed(Hold hold) {
        return List.of(new Outcome.Failed(hold.messages.get(0), "away", Duration.ofHours(1)));
    }

    private static void runOut(Hold hold) {
        hold.until = System.nanoTime() - 1;
    }

    private List<String> backlog() {
        return state.backlog().stream()
                .map((Backlog b) -> b.topic() + "/" + b.partition() + " " + b.pending())
                .toList();
    }

    @Test
    void aLeaseKeepsOthersOutUntilItHasRunOut() {
        commit("orders", 0, null, "1", "2");
        Hold first = state.checkout(Set.of("orders"), 10);
        assertEquals(List.of("1", "2"), texts(first));
        assertFalse(state.hasRunOut(first));
        assertEquals(List.of(), texts(state.checkout(Set.of("orders"), 10)));
        runOut(first);
        assertTrue(state.hasRunOut(first));
        Hold second = state.checkout(Set.of("orders"), 10);
        assertEquals(List.of("1", "2"), texts(second));
        assertFalse(state.isHeld(first));
        assertTrue(state.isHeld(second));
        assertFalse(state.renew(first), "the lease of one that others have taken over");
        assertThrows(HoldLostException.class, () -> state.settle(first, published(first)));
        assertEquals(List.of("orders/0 2"), backlog(), "after a close that was refused");
        state.release(first); // which is no longer its own to give back
        assertTrue(state.isHeld(second));
        state.settle(second, published(second));
        assertEquals(List.of(), backlog());
    }

    /** As long as nobody has taken over, it is as good as one that has not run out. */
    @Test
    void aLeaseThatHasRunOutCanBeRenewedAndSettled() {
        commit("orders", 0, null, "1", "2");
        Hold hold = state.checkout(Set.of("orders"), 1);
        runOut(hold);
        assertTrue(state.renew(hold));
        assertFalse(state.hasRunOut(hold));
        assertEquals(List.of(), texts(state.checkout(Set.of("orders"), 10)));
        runOut(hold);
        state.settle(hold, published(hold));
        assertEquals(List.of("2"), texts(state.checkout(Set.of("orders"), 10)));
    }

    @Test
    void aHoldWithoutALeaseNeverRunsOut() {
        MemoryState untimed = new MemoryState();
        Hold hold = untimed.checkout(Set.of("orders"), 10);
        runOut(hold);
        assertFalse(untimed.hasRunOut(hold));
    }

    @Test
    void whatIsMovedKeepsItsOrderAndIsWhereItsKeyIs() {
        commit("orders", 7, null, "1", "2");
        for (String key : List.of("a", "b", "c", "d")) {
            commit("orders", 8, key, key + "1", key + "2");
        }
        assertEquals(10, state.movePending("orders", "orders-2", 5, 100));
        assertEquals(0, state.movePending("orders", "orders-2", 5, 100), "moved twice");
        Hold moved = state.checkout(Set.of("orders", "orders-2"), 100);
        for (PersistedMessage message : moved.messages) {
            String key = message.key();
            assertEquals("orders-2", message.topic());
            assertEquals(key == null ? 7 % 5 : Partitioner.partitionOf(key, 5), message.partition(), text(message));
            assertEquals(0, message.attempts());
        }
        for (String start : List.of("", "a", "b", "c", "d")) {
            assertEquals(
                    List.of(start + "1", start + "2"),
                    texts(moved).stream()
                            .filter(text -> text.equals(start + "1") || text.equals(start + "2"))
                            .toList());
        }
    }

    @Test
    void aMoveTakesNoMoreThanItMayAndTheOldestFirst() {
        commit("orders", 0, null, "1", "2", "3");
        assertEquals(2, state.movePending("orders", "others", 1, 2));
        assertEquals(List.of("orders/0 1", "others/0 2"), backlog());
        assertEquals(List.of("1", "2"), texts(state.checkout(Set.of("others"), 10)));
        assertEquals(List.of("3"), texts(state.checkout(Set.of("orders"), 10)));
    }

    /** And a partition that waits after a failure is moved, with the failed message as new as the others. */
    @Test
    void aMoveEndsDelays() {
        commit("orders", 0, null, "1", "2");
        Hold hold = state.checkout(Set.of("orders"), 10);
        state.settle(hold, failed(hold));
        assertEquals(1, state.failingPartitions().size());
        assertEquals(2, state.movePending("orders", "others", 1, 10));
        assertEquals(List.of(), state.failingPartitions());
        Hold moved = state.checkout(Set.of("others"), 10);
        assertEquals(List.of("1", "2"), texts(moved));
        assertEquals(
                List.of(0, 0),
                moved.messages.stream().map(PersistedMessage::attempts).toList());
    }

    @Test
    void aMoveLeavesWhatIsHeldUntilTheLeaseHasRunOut() {
        commit("orders", 0, null, "1", "2");
        Hold hold = state.checkout(Set.of("orders"), 1);
        assertEquals(0, state.movePending("orders", "others", 1, 10));
        assertTrue(state.isHeld(hold));
        runOut(hold);
        assertEquals(2, state.movePending("orders", "others", 1, 10));
        assertFalse(state.isHeld(hold), "a hold of messages that are elsewhere");
        assertThrows(HoldLostException.class, () -> state.settle(hold, failed(hold)));
        assertEquals(List.of("others/0 2"), backlog());
        assertEquals(List.of(), state.failingPartitions());
    }
}
