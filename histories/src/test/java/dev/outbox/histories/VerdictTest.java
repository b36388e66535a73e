package dev.outbox.histories;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.outbox.histories.Verdict.Offence;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** Histories made by hand, each judged in both ways: as it is allowed, and with the one change that is not. */
class VerdictTest {
    private final Tale tale = new Tale();

    /** Tells a history, in seconds. */
    private static final class Tale {
        final List<Line> lines = new ArrayList<>();
        final Set<String> there = new HashSet<>();
        final Set<String> dead = new HashSet<>();
        private int faults;

        static long nanos(double second) {
            return (long) (second * 1_000_000_000);
        }

        /** A transaction of one message. */
        Tale sent(double began, double ended, Story.Ending ending, String topic, int number) {
            return sent(ended, ending, number, new Sent(topic, 0, "1:" + number, "id" + number, true, nanos(began)));
        }

        Tale sent(double ended, Story.Ending ending, int transaction, Sent... messages) {
            List<String> texts = new ArrayList<>();
            for (Sent each : messages) {
                texts.add(each.toString());
            }
            lines.add(Line.at(nanos(ended), 'T', 1, transaction, ending, String.join(" ", texts)));
            if (ending == Story.Ending.COMMITTED) {
                there.add("1/" + transaction);
            }
            return this;
        }

        /** In two seconds. */
        Tale sent(double began, int number) {
            return sent(began, began + 2, Story.Ending.COMMITTED, "single", number);
        }

        Tale handed(double time, String relay, int number) {
            return handed(time, relay, "single", number);
        }

        Tale handed(double time, String relay, String topic, int number) {
            lines.add(Line.at(nanos(time), 'P', relay, 7, topic, 0, "id" + number, "1:" + number, 1));
            return this;
        }

        Tale done(double time, String relay, int number, Handed.End end) {
            lines.add(Line.at(nanos(time), 'D', relay, 7, "id" + number, end));
            return this;
        }

        /** In a moment. */
        Tale published(double time, String relay, int number) {
            return handed(time, relay, number).done(time + 0.1, relay, number, Handed.End.TAKEN);
        }

        Tale failed(double time, String relay, String topic, int number) {
            return handed(time, relay, topic, number).done(time + 0.1, relay, number, Handed.End.FAILED);
        }

        Tale storeError(double time, String relay) {
            lines.add(Line.at(nanos(time), 'X', relay, 7, "CLOSE", "HoldLostException"));
            return this;
        }

        Tale fault(double begin, double end, String scope, int grace) {
            faults++;
            lines.add(Line.at(nanos(begin), 'F', faults, scope, "begin", grace, "something"));
            lines.add(Line.at(nanos(end), 'F', faults, scope, "end", grace, "something"));
            return this;
        }

        Tale ended(double time) {
            lines.add(Line.at(nanos(time), 'Z'));
            return this;
        }

        Verdict judged() {
            return Verdict.of(lines, there, dead);
        }
    }

    private void assertClean() {
        Verdict verdict = tale.judged();
        assertTrue(verdict.isClean(), verdict::details);
    }

    /** That, and nothing else. */
    private void assertOffence(Offence offence, int times) {
        Verdict verdict = tale.judged();
        for (Offence each : EnumSet.allOf(Offence.class)) {
            assertEquals(each == offence ? times : 0, verdict.count(each), () -> each + " in " + verdict.details());
        }
    }

    @Test
    void whatWasPublishedOnceIsClean() {
        tale.sent(0, 1).published(3, "a", 1).sent(4, 2).published(7, "b", 2).ended(8);
        assertClean();
    }

    @Test
    void whatWasCommittedAndNeverCameIsLost() {
        tale.sent(0, 1).handed(3, "a", 1).ended(4);
        assertOffence(Offence.LOST, 1);
        tale.done(3.5, "a", 1, Handed.End.TAKEN);
        assertClean();
    }

    @Test
    void whatFailedOnlyIsLost() {
        tale.sent(0, 1).failed(3, "a", "single", 1).ended(4);
        assertOffence(Offence.LOST, 1);
    }

    @Test
    void anUnansweredCommitIsLostIfTheRowIsThere() {
        tale.sent(0, 2, Story.Ending.UNKNOWN, "single", 1).ended(4);
        assertClean();
        tale.there.add("1/1");
        assertOffence(Offence.LOST, 1);
    }

    @Test
    void whatWasUndoneIsAPhantom() {
        tale.sent(0, 2, Story.Ending.UNDONE, "single", 1).ended(4);
        assertClean();
        tale.published(3, "a", 1);
        assertOffence(Offence.PHANTOM, 1);
    }

    @Test
    void whatASavepointUndidIsAPhantom() {
        Sent undone = new Sent("single", 0, "1:1", "id1", false, 0);
        tale.sent(2, Story.Ending.COMMITTED, 1, undone).ended(4);
        assertClean();
        tale.published(3, "a", 1);
        assertOffence(Offence.PHANTOM, 1);
    }

    @Test
    void whatComesFromAnotherPartitionIsAPhantom() {
        tale.sent(0, 1).published(3, "a", 1).ended(5);
        tale.lines.add(Line.at(Tale.nanos(4), 'P', "a", 7, "single", 3, "id1", "1:1", 1));
        tale.fault(3, 4, "all", 0);
        assertOffence(Offence.PHANTOM, 1);
    }

    @Test
    void anAcknowledgedTransactionThatIsNotThereWasForgotten() {
        tale.sent(2, Story.Ending.COMMITTED, 1).ended(4);
        assertClean();
        tale.there.clear();
        assertOffence(Offence.FORGOTTEN, 1);
    }

    @Test
    void anUndoneTransactionThatIsThereWasForgotten() {
        tale.sent(2, Story.Ending.UNDONE, 1).ended(4);
        assertClean();
        tale.there.add("1/1");
        assertOffence(Offence.FORGOTTEN, 1);
    }

    @Test
    void whatWasBegunLaterComesLater() {
        tale.sent(0, 1).sent(3, 2).published(6, "a", 2).published(7, "a", 1).ended(8);
        assertOffence(Offence.INVERTED, 1);
    }

    @Test
    void transactionsThatOverlapMayComeInAnyOrder() {
        tale.sent(0, 1).sent(1, 2).published(6, "a", 2).published(7, "a", 1).ended(8);
        assertClean();
    }

    @Test
    void afterAnUnansweredCommitNothingIsSaidOfTheOrder() {
        tale.sent(0, 2, Story.Ending.UNKNOWN, "single", 1).sent(3, 2);
        tale.there.add("1/1");
        tale.published(6, "a", 2).published(7, "a", 1).ended(8);
        assertClean();
    }

    @Test
    void withinATransactionWhatWasWrittenFirstComesFirst() {
        Sent first = new Sent("single", 0, "1:1", "id1", true, 0);
        Sent second = new Sent("single", 0, "1:2", "id2", true, 1);
        tale.sent(2, Story.Ending.COMMITTED, 1, first, second).ended(9);
        tale.published(4, "a", 2).published(5, "a", 1);
        assertOffence(Offence.INVERTED, 1);
    }

    @Test
    void nothingIsHandedOverBeforeWhatIsBeforeItIsTaken() {
        tale.sent(0, 1)
                .sent(3, 2)
                .failed(6, "a", "single", 1)
                .published(7, "a", 2)
                .published(8, "a", 1)
                .ended(9);
        assertOffence(Offence.INVERTED, 1);
    }

    @Test
    void withSeveralInFlightTheyAreHandedOverInOrder() {
        tale.sent(0, 2, Story.Ending.COMMITTED, "eager", 1).sent(3, 4, Story.Ending.COMMITTED, "eager", 2);
        tale.handed(6, "a", "eager", 1).handed(7, "a", "eager", 2);
        tale.done(8, "a", 2, Handed.End.TAKEN).done(9, "a", 1, Handed.End.TAKEN).ended(10);
        assertClean();
    }

    @Test
    void whatIsPublishedTwiceNeedsAReason() {
        tale.sent(0, 1).published(3, "a", 1).published(5, "b", 1).ended(9);
        assertOffence(Offence.REPEATED, 1);
    }

    @Test
    void aFaultOfTheFirstRelayIsAReason() {
        tale.sent(0, 1)
                .published(3, "a", 1)
                .fault(4, 4.5, "a", 0)
                .published(5, "b", 1)
                .ended(9);
        assertClean();
    }

    @Test
    void aFaultOfAnotherRelayIsNone() {
        tale.sent(0, 1)
                .published(3, "a", 1)
                .fault(4, 4.5, "b", 0)
                .published(5, "b", 1)
                .ended(9);
        assertOffence(Offence.REPEATED, 1);
    }

    @Test
    void aFaultBeforeOrAfterIsNone() {
        tale.fault(1, 2.5, "a", 0).sent(0, 1).published(3, "a", 1);
        tale.published(5, "b", 1).fault(6, 7, "a", 0).ended(9);
        assertOffence(Offence.REPEATED, 1);
    }

    @Test
    void aFailedCloseIsAReasonAndMayBeNoticedLate() {
        tale.sent(0, 1)
                .published(3, "a", 1)
                .published(5, "b", 1)
                .storeError(40, "a")
                .ended(41);
        assertClean();
    }

    @Test
    void aPublisherThatFailsAfterTheBrokerTookItIsAReason() {
        tale.sent(0, 1).handed(3, "a", 1).done(3.1, "a", 1, Handed.End.TAKEN_AND_FAILED);
        tale.published(5, "b", 1).ended(9);
        assertClean();
    }

    @Test
    void anAttemptThatTookTooLongIsAReason() {
        tale.sent(0, 1).published(3, "a", 1).published(5, "b", 1).ended(9);
        tale.lines.add(Line.at(Tale.nanos(4), 'R', "a", 7, "id1"));
        assertClean();
    }

    @Test
    void oneProcessPublishesThreeTimesInAMinuteAtMost() {
        tale.sent(0, 1).fault(0, 70, "all", 0);
        tale.published(3, "a", 1)
                .published(10, "a", 1)
                .published(20, "a", 1)
                .published(64, "a", 1)
                .ended(70);
        assertClean();
        tale.published(65, "a", 1);
        assertOffence(Offence.HAMMERED, 1);
    }

    @Test
    void itsOwnFailuresDoNotCount() {
        tale.sent(0, 1);
        for (int i = 0; i < 20; i++) {
            tale.failed(3 + i, "a", "single", 1);
        }
        tale.published(30, "a", 1).ended(31);
        assertClean();
    }

    @Test
    void oneProcessPublishesTenTimesInAnHourAtMost() {
        tale.sent(0, 1).fault(0, 3_600, "all", 0);
        for (int i = 0; i < 10; i++) {
            tale.published(3 + 100 * i, "a", 1);
        }
        tale.ended(3_600);
        assertClean();
        tale.published(3_000, "a", 1);
        assertOffence(Offence.HAMMERED, 1);
    }

    @Test
    void whatIsReadyIsServedWithinHalfAMinute() {
        tale.sent(0, 1).published(31.5, "a", 1).ended(40);
        assertClean();
        tale.sent(41, 2).published(73.5, "a", 2);
        assertOffence(Offence.STUCK, 1);
    }

    @Test
    void whatIsNeverServedIsStuckAtTheEnd() {
        tale.sent(0, 1).ended(33);
        Verdict verdict = tale.judged();
        assertEquals(1, verdict.count(Offence.STUCK), verdict::details);
        assertEquals(1, verdict.count(Offence.LOST), verdict::details);
    }

    @Test
    void aFaultIsAnExcuseForHalfAMinute() {
        tale.sent(0, 1).fault(10, 20, "b", 0).published(49.5, "a", 1).ended(50);
        assertClean();
        tale.sent(51, 2).fault(60, 70, "b", 0).published(100.5, "a", 2);
        assertOffence(Offence.STUCK, 1);
    }

    @Test
    void aFaultOfAnotherPartitionIsNone() {
        tale.sent(0, 1).fault(10, 20, "single/0", 0).published(49.5, "a", 1).ended(50);
        assertClean();
        tale.sent(51, 2).fault(60, 70, "single/1", 0).published(90, "a", 2);
        assertOffence(Offence.STUCK, 1);
    }

    @Test
    void aFaultMayBeFeltForLonger() {
        tale.sent(0, 1).fault(10, 20, "a", 100).published(140, "a", 1).ended(150);
        assertClean();
    }

    @Test
    void beingTriedAgainIsBeingServed() {
        tale.sent(0, 1);
        for (int i = 0; i < 5; i++) {
            tale.failed(20 + 20 * i, "a", "single", 1);
        }
        tale.published(130, "a", 1).ended(131);
        assertClean();
    }

    @Test
    void whatIsGivenUpHadItsAttempts() {
        tale.sent(0, 2, Story.Ending.COMMITTED, "mortal", 1);
        tale.dead.add("id1");
        tale.failed(3, "a", "mortal", 1).failed(4, "a", "mortal", 1);
        tale.lines.add(Line.at(Tale.nanos(6), 'L', "a", 7, "id1"));
        tale.ended(9);
        assertOffence(Offence.BURIED_ALIVE, 1);
        tale.failed(5, "b", "mortal", 1);
        assertClean();
    }

    @Test
    void onlyOfOneTopicMessagesAreGivenUp() {
        tale.sent(0, 1);
        tale.dead.add("id1");
        for (int i = 0; i < 5; i++) {
            tale.failed(3 + i, "a", "single", 1);
        }
        tale.lines.add(Line.at(Tale.nanos(8), 'L', "a", 7, "id1"));
        tale.ended(9);
        assertOffence(Offence.BURIED_ALIVE, 1);
    }

    @Test
    void relaysLeaveNothingBehindAndLoseNoWorkers() {
        tale.lines.add(Line.at(1, 'E', "a", 7, "all", ""));
        assertClean();
        tale.lines.add(Line.at(2, 'E', "a", 8, "all", "outbox-lease"));
        assertOffence(Offence.LEAKED, 1);
        tale.lines.add(Line.at(3, 'E', "a", 9, "3 of 4", ""));
        assertOffence(Offence.LEAKED, 2);
    }
}
