package dev.outbox.tck;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.tck.History.Delivered;
import dev.outbox.tck.History.End;
import dev.outbox.tck.History.Written;
import java.util.List;
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

    private static void checkAll(History history) {
        history.checkOnlyCommittedMessagesCame();
        history.checkMessagesAreExclusive();
        history.checkPartitionsAreExclusive();
        history.checkPartitionsCameInOrder();
        history.checkNothingSettledCameAgain();
        history.checkNothingWasLost();
    }

    private static void assertBroken(String rule, Runnable check) {
        RuleBroken broken = assertThrows(RuleBroken.class, check::run);
        assertEquals(rule, broken.rule());
        assertTrue(String.valueOf(broken.getMessage()).contains("id="), "the events are shown: " + broken.getMessage());
    }

    /** Written and committed within 5. */
    private static Written written(String id, long began) {
        return new Written(id, "t/0", began, began + 3, began + 5, End.OK);
    }

    private static Written rolledBack(String id, long began) {
        return new Written(id, "t/0", began, began + 3, began + 5, End.NOT_DONE);
    }

    private static Written unknown(String id, long began) {
        return new Written(id, "t/0", began, began + 3, began + 5, End.UNKNOWN);
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
