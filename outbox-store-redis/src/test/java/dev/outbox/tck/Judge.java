package dev.outbox.tck;

import java.util.List;

/**
 * The checks of the suite, for a history that this module's tests made; it stands in the suite's package because they are no
 * promise to others.
 */
public final class Judge {
    /** How an operation ended. */
    public enum End {
        /** It was done. */
        OK,
        /** It was not done, and they were told so. */
        NOT_DONE,
        /** They could not know. */
        UNKNOWN
    }

    /** A message that was written, with times of {@link System#nanoTime}. */
    public record Written(
            String id,
            String partition,
            String transaction,
            long began,
            long commitCalled,
            long ended,
            End committed) {}

    /** A message in a batch, with times of {@link System#nanoTime}. */
    public record Delivered(
            String id,
            String partition,
            String batch,
            int index,
            boolean settled,
            long checkoutCalled,
            long checkoutReturned,
            long closeCalled,
            long closeReturned,
            End closed) {}

    private final History history;

    /** Takes all there was. A batch that was not closed well may have lost its hold at any time, and claims none. */
    public Judge(List<Written> written, List<Delivered> delivered) {
        history = new History(
                written.stream()
                        .map(w -> new History.Written(
                                w.id,
                                w.partition,
                                w.transaction,
                                w.began,
                                w.commitCalled,
                                w.ended,
                                History.End.valueOf(w.committed.name())))
                        .toList(),
                delivered.stream()
                        .map(d -> new History.Delivered(
                                d.id,
                                d.partition,
                                d.batch,
                                d.index,
                                d.settled,
                                d.checkoutCalled,
                                d.checkoutReturned,
                                d.closed == End.OK ? d.closeCalled : d.checkoutReturned,
                                d.closeReturned,
                                History.End.valueOf(d.closed.name())))
                        .toList());
    }

    /** All of it, at the end of a history that left nothing behind. */
    public void checkAll() {
        history.check(true);
    }

    /** What holds although acknowledged transactions and closes were lost together with a server. */
    public void checkWhatSurvivesLosses() {
        history.checkOnlyCommittedMessagesCame();
        history.checkMessagesAreExclusive();
        history.checkPartitionsAreExclusive();
    }

    /** What was seen, in a line. */
    public String summary() {
        return history.summary();
    }

    /** How often a batch was checked out while another was open. */
    public long overlappingBatches() {
        return history.overlappingBatches();
    }
}
