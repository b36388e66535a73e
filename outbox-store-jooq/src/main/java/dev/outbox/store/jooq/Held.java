package dev.outbox.store.jooq;

import dev.outbox.PersistedMessage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A partition that a batch holds, and what the batch has read of it. Confined to the thread of its batch. */
final class Held {
    final Candidate partition;

    /** Whether its first message was looked for, rather than the first behind a hint. */
    boolean fromStart;

    final List<PersistedMessage> messages = new ArrayList<>();

    /** Row id of the message that failed the last time, 0 if none did. */
    long failingId;

    /** Behind which row id the next read starts. */
    long after;

    /** How many messages the next read may add. */
    int share;

    /** Whether the last read found all that it was allowed to, so that there may be more. */
    boolean full;

    private long[] rowIds = new long[16];
    private int sizeBefore;

    Held(Candidate partition, long after) {
        this.partition = partition;
        this.after = after;
        this.fromStart = after == 0;
    }

    /** Forgets what was read behind a hint, to read from the start; returns how many messages that were. */
    int restart() {
        int forgotten = messages.size();
        messages.clear();
        after = 0;
        failingId = 0;
        fromStart = true;
        return forgotten;
    }

    void startReading(int share) {
        this.share = share;
        this.sizeBefore = messages.size();
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

    /** Ends a read and returns how many messages it added. */
    int endReading() {
        int added = messages.size() - sizeBefore;
        full = added == share;
        return added;
    }

    long rowId(int index) {
        return rowIds[index];
    }
}
