package dev.outbox.store.jooq.internal.partition;

import dev.outbox.PersistedMessage;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A partition that a batch holds, and what the batch has read of it. Confined to the thread of its batch. */
public final class HeldPartition {
    public final Partition partition;

    /** The row after which reading began: 0, or a hint. */
    private long start;

    public final List<PersistedMessage> messages = new ArrayList<>();

    /** Row id of the message that failed the last time, 0 if none did. */
    public long failingId;

    /** The row id after which the next read starts. */
    public long after;

    /** How many messages of it the batch may have after the next read. */
    public int share;

    /** How many rows to ask for at the next read: one more than the share, which says whether there is more. */
    public long rows;

    /**
     * Whether the last read found more than it was allowed to keep; not noticed where the share is all that there is
     * room for.
     */
    public boolean hasMore;

    /** What is wrong with the row after the messages, which can be neither read nor passed over; null if nothing is. */
    @Nullable
    public String problem;

    /** The id of that row. */
    public long problemRowId;

    /** The largest payload in bytes that a read brings with its row. */
    public long whole = ByteBudget.MOST;

    /** Whether messages were removed again, because the batch had no room for their size. */
    boolean isCut;

    private long[] rowIds = new long[16];

    /** For each message the size of its payload in bytes if the read left it out, else 0. */
    private int[] leftOut = new int[16];

    private long bytes;

    /** Up to which row id all was decided before the partition was read. */
    public final long decidedUpTo;

    /** The last row id to read, whatever comes after it. */
    public final long end;

    public HeldPartition(Partition partition, long after, long decidedUpTo, long end) {
        this.partition = partition;
        this.decidedUpTo = decidedUpTo;
        this.end = end;
        this.after = after;
        this.start = after;
    }

    /**
     * Forgets what was read, to read more of it again; returns how many messages that were. Reading on instead would
     * join two snapshots: a message with a lower id could have been committed between them, and be passed over by one
     * that was written after it.
     */
    public int restart() {
        int forgotten = messages.size();
        messages.clear();
        hasMore = false;
        isCut = false;
        problem = null;
        bytes = 0;
        after = start;
        return forgotten;
    }

    /** Forgets what was read, as {@link #restart} does, and reads from the start next. */
    public int restartFromStart() {
        start = 0;
        return restart();
    }

    public boolean fromStart() {
        return start == 0;
    }

    /**
     * Prepares the next read.
     *
     * @param isAlone whether the share is all that the batch has room for
     */
    public void startReading(int share, boolean isAlone) {
        this.share = share;
        this.rows = isAlone ? share : share + 1L;
    }

    /** Whether the share is used up; then the row that was read is only the proof that there is more. */
    public boolean isFull() {
        return messages.size() >= share;
    }

    /** Ends the partition before a row, for this batch. */
    public void endBefore(long rowId, @Nullable String why) {
        problem = why == null ? "It cannot be read." : why;
        problemRowId = rowId;
    }

    /**
     * Adds a message after those that were read before.
     *
     * @param leftOut the size of its payload in bytes if the read left it out, else 0
     */
    public void add(long rowId, PersistedMessage message, int leftOut) {
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
    public long bytes() {
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
    public List<Long> leftOut() {
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
    public void complete(Map<Long, byte[]> payloads, Map<Long, String> unreadable) {
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

    public long lastRowId() {
        return messages.isEmpty() ? 0 : rowIds[messages.size() - 1];
    }

    public long rowId(int index) {
        return rowIds[index];
    }
}
