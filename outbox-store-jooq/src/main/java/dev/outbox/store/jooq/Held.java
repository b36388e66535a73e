package dev.outbox.store.jooq;

import dev.outbox.PersistedMessage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A partition that a batch holds, and what the batch has read of it. Confined to the thread of its batch. */
final class Held {
    final Candidate partition;

    /** Behind which row reading began: 0, or a hint. */
    private long start;

    final List<PersistedMessage> messages = new ArrayList<>();

    /** Row id of the message that failed the last time, 0 if none did. */
    long failingId;

    /** Behind which row id the next read starts. */
    long after;

    /** How many messages of it the batch may have after the next read. */
    int share;

    /** How many rows to ask for at the next read: one more than the share, which says whether there is more. */
    long rows;

    /** Whether the last read found more than it was allowed to keep; not noticed where the share is all that there is room for. */
    boolean hasMore;

    /** What is wrong with the row behind the messages, which cannot be read, nor be passed over; null if nothing is. */
    @Nullable
    String problem;

    /** The id of that row. */
    long problemRowId;

    private long[] rowIds = new long[16];

    /** Up to which row id all was decided before the partition was read. */
    final long floor;

    /** Up to which row id to read, whatever there is behind it. */
    final long end;

    Held(Candidate partition, long after, long floor, long end) {
        this.partition = partition;
        this.floor = floor;
        this.end = end;
        this.after = after;
        this.start = after;
    }

    /**
     * Forgets what was read, to read more of it anew; returns how many messages that were. Reading on instead would join
     * two snapshots: a message with a lower id could have been committed between them, and be passed over by one that was
     * written after it.
     */
    int restart() {
        int forgotten = messages.size();
        messages.clear();
        hasMore = false;
        problem = null;
        after = start;
        return forgotten;
    }

    /** As {@link #restart}, and no longer behind a hint. */
    int restartFromStart() {
        start = 0;
        return restart();
    }

    boolean fromStart() {
        return start == 0;
    }

    /** @param isAlone whether the share is all that the batch has room for */
    void startReading(int share, boolean isAlone) {
        this.share = share;
        this.rows = isAlone ? share : share + 1L;
    }

    /** Whether the share is used up; then the row that was read is only the proof that there is more. */
    boolean isFull() {
        return messages.size() >= share;
    }

    /** Ends the partition before a row, for this batch. */
    void endBefore(long rowId, @Nullable String why) {
        problem = why == null ? "It cannot be read." : why;
        problemRowId = rowId;
    }

    void add(long rowId, PersistedMessage message) {
        if (messages.size() == rowIds.length) {
            rowIds = Arrays.copyOf(rowIds, rowIds.length * 2);
        }
        if (!messages.isEmpty() && rowId <= rowIds[messages.size() - 1]) {
            // Every dialect reads in this order; if a database did not keep it, failing is better than reordering.
            throw new IllegalStateException("Row " + rowId + " came after row " + after + " in " + partition);
        }
        rowIds[messages.size()] = rowId;
        messages.add(message);
        after = rowId;
    }

    long lastRowId() {
        return messages.isEmpty() ? 0 : rowIds[messages.size() - 1];
    }

    long rowId(int index) {
        return rowIds[index];
    }
}
