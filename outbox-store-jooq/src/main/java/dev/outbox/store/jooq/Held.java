package dev.outbox.store.jooq;

import dev.outbox.PersistedMessage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
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

    /** The largest payload in bytes that a read brings with its row. */
    long whole = Budget.MOST;

    /** Whether messages were removed again, because the batch had no room for their size. */
    boolean isCut;

    private long[] rowIds = new long[16];

    /** For each message the size of its payload in bytes if the read left it out, else 0. */
    private int[] leftOut = new int[16];

    private long bytes;

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
        isCut = false;
        problem = null;
        bytes = 0;
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

    /** @param leftOut the size of its payload in bytes if the read left it out, else 0 */
    void add(long rowId, PersistedMessage message, int leftOut) {
        if (messages.size() == rowIds.length) {
            rowIds = Arrays.copyOf(rowIds, rowIds.length * 2);
            this.leftOut = Arrays.copyOf(this.leftOut, rowIds.length);
        }
        if (!messages.isEmpty() && rowId <= rowIds[messages.size() - 1]) {
            // Every dialect reads in this order; if a database did not keep it, failing is better than reordering.
            throw new IllegalStateException("Row " + rowId + " came after row " + after + " in " + partition);
        }
        rowIds[messages.size()] = rowId;
        this.leftOut[messages.size()] = leftOut;
        messages.add(message);
        bytes += size(messages.size() - 1);
        after = rowId;
    }

    /** The bytes of all payloads, with those that the read left out. */
    long bytes() {
        return bytes;
    }

    /** The bytes of one payload, also if the read left it out. */
    int size(int index) {
        return leftOut[index] > 0 ? leftOut[index] : messages.get(index).payload().length;
    }

    /** Removes a message and all after it. */
    void cut(int index) {
        for (int i = index; i < messages.size(); i++) {
            bytes -= size(i);
        }
        messages.subList(index, messages.size()).clear();
        problem = null;
        hasMore = true;
        isCut = true;
    }

    /** The ids of the rows whose payloads the read left out. */
    List<Long> leftOut() {
        List<Long> rows = new ArrayList<>();
        for (int i = 0; i < messages.size(); i++) {
            if (leftOut[i] > 0) {
                rows.add(rowIds[i]);
            }
        }
        return rows;
    }

    /**
     * Adds the payloads that the first read left out. Nobody changes these rows while we hold the partition. If another
     * client deletes or spoils one directly in the tables, the batch ends before it.
     */
    void complete(Map<Long, byte[]> payloads, Map<Long, String> unreadable) {
        for (int i = 0; i < messages.size(); i++) {
            if (leftOut[i] > 0) {
                byte[] payload = payloads.get(rowIds[i]);
                if (payload == null) {
                    cut(i);
                    if (unreadable.containsKey(rowIds[i])) {
                        endBefore(rowIds[i], unreadable.get(rowIds[i]));
                    }
                    return;
                }
                PersistedMessage m = messages.get(i);
                bytes += payload.length - leftOut[i];
                leftOut[i] = 0;
                messages.set(
                        i,
                        new PersistedMessage(
                                m.id(),
                                m.topic(),
                                m.partition(),
                                m.key(),
                                m.headers(),
                                payload,
                                m.attempts(),
                                m.createdAt()));
            }
        }
    }

    long lastRowId() {
        return messages.isEmpty() ? 0 : rowIds[messages.size() - 1];
    }

    long rowId(int index) {
        return rowIds[index];
    }
}
