package dev.outbox.tck.internal.history;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.tck.internal.history.History.Delivered;
import dev.outbox.tck.internal.history.History.End;
import dev.outbox.tck.internal.history.History.Written;
import dev.outbox.tck.internal.record.RuleViolation;
import java.util.List;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** The checkers find every kind of violation, and nothing in a history that is in order. */
class HistoryTest {
    @Test
    void aCleanHistoryPasses() {
        History history = new History(
                List.of(written("1", 0), written("2", 10), rolledBack("3", 20), unknown("4", 30)),
                List.of(released("1", "a", 100), settled("1", "b", 200), settled("2", "c", 300)));
        checkAll(history);
        assertEquals(3, history.deliveries());
        assertEquals(1, history.redeliveries());
    }

    @Test
    void aMessageInTwoOpenBatchesIsFound() {
        History history =
                new History(List.of(written("1", 0)), List.of(released("1", "a", 100), settled("1", "b", 150)));
        assertBroken("OBX-EXCL-1", history::checkMessagesAreExclusive);
    }

    @Test
    void aLongHoldIsRememberedBehindShortOnes() {
        Delivered longHold = new Delivered("1", "t/0", "long", 0, false, 90, 100, 900, 910, End.OK);
        History history = new History(
                List.of(written("1", 0)), List.of(longHold, released("1", "a", 1_000), released("1", "b", 1_050)));
        assertBroken("OBX-EXCL-1", history::checkMessagesAreExclusive);
        History behind = new History(List.of(written("1", 0)), List.of(longHold, settled("1", "c", 500)));
        assertBroken("OBX-EXCL-1", behind::checkMessagesAreExclusive);
    }

    @Test
    void aPartitionInTwoOpenBatchesIsFound() {
        History history = new History(
                List.of(written("1", 0), written("2", 10)), List.of(settled("1", "a", 100), settled("2", "b", 150)));
        history.checkMessagesAreExclusive();
        assertBroken("OBX-ORDER-3", history::checkPartitionsAreExclusive);
    }

    @Test
    void aMessageOfARolledBackTransactionIsFound() {
        History history = new History(List.of(rolledBack("1", 0)), List.of(settled("1", "a", 100)));
        assertBroken("OBX-TX-1", history::checkOnlyCommittedMessagesCame);
    }

    @Test
    void aMessageThatNobodyWroteIsFound() {
        History history = new History(List.of(), List.of(settled("1", "a", 100)));
        assertBroken("OBX-TX-1", history::checkOnlyCommittedMessagesCame);
    }

    @Test
    void aMessageBeforeItsCommitIsFound() {
        History history = new History(List.of(written("1", 120)), List.of(settled("1", "a", 100)));
        assertBroken("OBX-TX-2", history::checkOnlyCommittedMessagesCame);
    }

    @Test
    void aSettledMessageThatComesAgainIsFound() {
        History history =
                new History(List.of(written("1", 0)), List.of(settled("1", "a", 100), settled("1", "b", 300)));
        assertBroken("OBX-CLOSE-1", history::checkNothingSettledCameAgain);
    }

    @Test
    void aLostMessageIsFound() {
        History history = new History(
                List.of(written("1", 0), written("2", 10)), List.of(settled("1", "a", 100), released("2", "b", 300)));
        assertBroken("OBX-TX-1", history::checkNothingWasLost);
    }

    @Test
    void messagesOutOfOrderAreFound() {
        History history = new History(
                List.of(written("1", 0), written("2", 10)), List.of(settled("2", "a", 100), settled("1", "b", 300)));
        assertBroken("OBX-ORDER-1", history::checkPartitionsCameInOrder);
    }

    @Test
    void messagesWrittenAtTheSameTimeHaveNoOrder() {
        History history = new History(
                List.of(written("1", 0), written("2", 3)), List.of(settled("2", "a", 100), settled("1", "b", 300)));
        history.checkPartitionsCameInOrder();
    }

    @Test
    void anIdThatIsGivenTwiceIsFound() {
        assertBroken("OBX-ID-1", () -> new History(List.of(written("1", 0), written("1", 10)), List.of()));
    }

    @Test
    void halfAnUnknownCloseIsFound() {
        History history = new History(
                List.of(written("1", 0), written("2", 10)),
                List.of(
                        closedAs(End.UNKNOWN, "1", "a", 100),
                        closedAs(End.UNKNOWN, "2", "a", 100),
                        settled("2", "b", 300)));
        assertBroken("OBX-CLOSE-1", history::checkClosesAreAtomic);
    }

    @Test
    void anUnknownCloseMayBeDoneOrNot() {
        List<Written> two = List.of(written("1", 0), written("2", 10));
        Delivered one = closedAs(End.UNKNOWN, "1", "a", 100);
        Delivered other = closedAs(End.UNKNOWN, "2", "a", 100);
        new History(two, List.of(one, other)).check(true);
        new History(two, List.of(one, other, settled("1", "b", 300), settled("2", "b", 300))).check(true);
    }

    @Test
    void aCloseThatSaidItWasNotDoneAndWasIsFound() {
        History history = new History(List.of(written("1", 0)), List.of(closedAs(End.NOT_DONE, "1", "a", 100)));
        assertBroken("OBX-FENCE-1", history::checkClosesAreAtomic);
    }

    @Test
    void halfATransactionIsFound() {
        Written one = new Written("1", "t/0", "same", 0, 3, 5, End.UNKNOWN);
        Written other = new Written("2", "t/0", "same", 1, 3, 5, End.UNKNOWN);
        assertBroken(
                "OBX-TX-1",
                new History(List.of(one, other), List.of(settled("1", "a", 100)))::checkTransactionsAreAtomic);
        new History(List.of(one, other), List.of()).check(true);
    }

    @Test
    void anOrderThatNobodyKnowsIsNotHeldAgainstAStore() {
        History history = new History(
                List.of(unknown("1", 0), written("2", 10)), List.of(settled("2", "a", 100), settled("1", "b", 300)));
        history.check(true);
    }

    private static void checkAll(History history) {
        history.check(true);
        assertTrue(history.summary().startsWith("no violation in 14 operations"), history.summary());
    }

    private static void assertBroken(String rule, Runnable check) {
        RuleViolation broken = assertThrows(RuleViolation.class, check::run);
        assertEquals(rule, broken.rule());
        String shown = String.valueOf(broken.getMessage());
        assertTrue(shown.contains(" ms ") && shown.contains("message "), "the events are shown: " + shown);
        List<Double> times = Pattern.compile("([0-9.]+) ms ")
                .matcher(shown)
                .results()
                .map(time -> Double.valueOf(time.group(1)))
                .toList();
        assertEquals(times.stream().sorted().toList(), times, "the events are shown in order: " + shown);
    }

    /** Written and committed within 5. */
    private static Written written(String id, long began) {
        return new Written(id, "t/0", "transaction of " + id, began, began + 3, began + 5, End.OK);
    }

    private static Written rolledBack(String id, long began) {
        return new Written(id, "t/0", "transaction of " + id, began, began + 3, began + 5, End.NOT_DONE);
    }

    private static Written unknown(String id, long began) {
        return new Written(id, "t/0", "transaction of " + id, began, began + 3, began + 5, End.UNKNOWN);
    }

    /** Held for 80, and marked. */
    private static Delivered closedAs(End end, String id, String batch, long at) {
        return new Delivered(id, "t/0", batch, 0, true, at - 10, at, at + 80, at + 85, end);
    }

    /** Held for 80, and settled. */
    private static Delivered settled(String id, String batch, long at) {
        return new Delivered(id, "t/0", batch, 0, true, at - 10, at, at + 80, at + 85, End.OK);
    }

    /** Held for 80, and released. */
    private static Delivered released(String id, String batch, long at) {
        return new Delivered(id, "t/0", batch, 0, false, at - 10, at, at + 80, at + 85, End.OK);
    }
}
