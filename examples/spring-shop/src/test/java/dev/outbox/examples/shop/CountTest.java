package dev.outbox.examples.shop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Everything that may go wrong is counted. */
class CountTest {
    private static final long KILLED = 100;

    private final Consumed first = new Consumed("id-1", "C", "{\"number\":\"1\"}", 90);
    private final Consumed second = new Consumed("id-2", "C", "{\"number\":\"2\"}", 110);

    @Test
    void aMessageThatWasSentBeforeTheKillAndAfterItIsADuplicate() {
        Count count = count(List.of(first, again(first, 110), second), List.of("1", "2"));
        assertEquals(new Count(2, 2, 1, 2, 0, 0, 0, 0, 0), count);
        assertTrue(count.isGood());
    }

    @Test
    void aMissingMessageAndAMissingBillAreLost() {
        bad(new Count(2, 1, 0, 2, 1, 0, 0, 0, 0), List.of(first), List.of("1", "2"));
        bad(new Count(2, 2, 0, 1, 1, 0, 0, 0, 0), List.of(first, second), List.of("1"));
    }

    @Test
    void anOrderThatWasAcceptedAndIsNotThereIsLost() {
        Count count = Count.of(Set.of("1", "2"), Set.of("1"), List.of(first), List.of("1"), KILLED);
        assertEquals(new Count(1, 1, 0, 1, 1, 0, 0, 0, 0), count);
        assertFalse(count.isGood());
    }

    @Test
    void aMessageWithoutAnOrderIsAPhantom() {
        Consumed third = new Consumed("id-3", "C", "{\"number\":\"3\"}", 120);
        bad(new Count(2, 3, 0, 2, 0, 1, 0, 0, 0), List.of(first, second, third), List.of("1", "2"));
    }

    @Test
    void twoBillsAndTwoMessagesAreSeen() {
        bad(new Count(2, 2, 0, 2, 0, 0, 1, 0, 0), List.of(first, second), List.of("1", "2", "2"));
        Consumed other = new Consumed("id-3", "C", "{\"number\":\"2\"}", 120);
        bad(new Count(2, 3, 0, 2, 0, 0, 1, 0, 0), List.of(first, second, other), List.of("1", "2"));
    }

    @Test
    void duplicatesNeedAKillInBetween() {
        bad(new Count(2, 2, 1, 2, 0, 0, 0, 1, 0), List.of(first, again(first, 95), second), List.of("1", "2"));
        bad(new Count(2, 2, 1, 2, 0, 0, 0, 1, 0), List.of(first, second, again(second, 120)), List.of("1", "2"));
        bad(
                new Count(2, 2, 1, 2, 0, 0, 0, 1, 0),
                List.of(first, again(first, 110), again(first, 120), second),
                List.of("1", "2"));
    }

    @Test
    void aMessageBeforeAnEarlierOneIsSeen() {
        bad(new Count(2, 2, 0, 2, 0, 0, 0, 0, 1), List.of(second, first), List.of("1", "2"));
    }

    private static void bad(Count expected, List<Consumed> copies, List<String> bills) {
        Count count = count(copies, bills);
        assertEquals(expected, count);
        assertFalse(count.isGood());
    }

    private static Count count(List<Consumed> copies, List<String> bills) {
        return Count.of(Set.of("1", "2"), Set.of("1", "2"), copies, bills, KILLED);
    }

    private static Consumed again(Consumed message, long millis) {
        return new Consumed(message.id(), message.customer(), message.text(), millis);
    }
}
