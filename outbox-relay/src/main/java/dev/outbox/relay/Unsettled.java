package dev.outbox.relay;

import dev.outbox.PersistedMessage;
import java.time.Duration;
import java.time.Instant;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What became of messages whose batch could not be closed, so that it is settled, and not published once more, when
 * they come again. Shared by all rounds of a relay; safe for use by several threads.
 *
 * <p>An entry goes when it was settled, when the message is seen to be gone, when another relay has counted an attempt
 * of it (then it is another try's turn), and after an hour. There is room for {@value #MOST}; while there is none,
 * nothing new is published, because it could not be remembered.
 *
 * <p>A message that died at its first try is not remembered. If its close took effect and an operator redrives it, it
 * comes again exactly as it was, and must be published. To try it once more does no harm, and to bury it would.
 */
final class Unsettled {
    static final int MOST = 10_000;
    static final Duration LIFE = Duration.ofHours(1);

    enum Kind {
        PUBLISHED,
        FAILED,
        DEAD
    }

    /** What became of one message; without its payload, since there may be many. */
    static final class Entry {
        final Partition partition;
        final String id;
        final int attempts;
        final Instant createdAt;
        final Kind kind;

        /** What the broker called it, or why it failed. */
        final @Nullable String text;

        final Duration delay;

        /** Whether the batch it came with knows of it. Of the round's thread. */
        boolean marked;

        /**
         * Whether another round has the message, or has seen that it is gone, while this close is under way; guarded by
         * the close.
         */
        boolean takenOver;

        private long expires;

        Entry(Partition partition, PersistedMessage message, Kind kind, @Nullable String text, Duration delay) {
            this.partition = partition;
            this.id = message.id();
            this.attempts = message.attempts();
            this.createdAt = message.createdAt();
            this.kind = kind;
            this.text = text;
            this.delay = delay;
        }

        /** The same for another batch. */
        Entry(Entry entry) {
            this.partition = entry.partition;
            this.id = entry.id;
            this.attempts = entry.attempts;
            this.createdAt = entry.createdAt;
            this.kind = entry.kind;
            this.text = entry.text;
            this.delay = entry.delay;
        }

        String reason() {
            return text == null ? "" : text;
        }

        /** Whether its message looks the same after a redrive, which begins with no attempts. */
        private boolean isLikeRedriven() {
            return kind == Kind.DEAD && attempts == 0;
        }
    }

    private final Time time;
    private final Map<Partition, Map<String, Entry>> partitions = new LinkedHashMap<>();
    private volatile int size;

    Unsettled(Time time) {
        this.time = time;
    }

    int size() {
        return size == 0 ? 0 : countWhatCounts();
    }

    private synchronized int countWhatCounts() {
        expire();
        return size;
    }

    /** Whether something published now might have to be forgotten. */
    boolean isFull() {
        return size >= MOST && countWhatCounts() >= MOST;
    }

    synchronized void remember(Entry entry) {
        if (entry.isLikeRedriven()) {
            return;
        }
        entry.expires = time.nanos() + LIFE.toNanos();
        if (partitions
                        .computeIfAbsent(entry.partition, key -> new LinkedHashMap<>())
                        .put(entry.id, entry)
                == null) {
            size++;
        }
    }

    /** A batch with these outcomes was closed, or could not be. Those that are taken over are no longer its own. */
    void closed(List<Entry> entries, boolean settled) {
        for (Entry entry : entries) {
            if (entry.takenOver) {
                continue;
            }
            if (settled && entry.marked) {
                if (size != 0) {
                    forget(entry);
                }
            } else {
                rememberIfPossible(entry);
            }
        }
    }

    private void rememberIfPossible(Entry entry) {
        try {
            remember(entry);
        } catch (Throwable e) {
            // There is no memory. The message is published once more, which is better than that the relay stops.
        }
    }

    synchronized void forget(Entry entry) {
        Map<String, Entry> entries = partitions.get(entry.partition);
        if (entries != null && entries.remove(entry.id) != null) {
            size--;
            if (entries.isEmpty()) {
                partitions.remove(entry.partition);
            }
        }
    }

    /** What became of a message of a batch before, which is forgotten by that; or null if it is to be published. */
    @Nullable
    Entry find(Partition partition, PersistedMessage message) {
        return size == 0 ? null : look(partition, message);
    }

    /** Whether {@link #find} would find something; forgets nothing. */
    boolean knows(Partition partition, PersistedMessage message) {
        return size != 0 && has(partition, message);
    }

    private synchronized boolean has(Partition partition, PersistedMessage message) {
        Entry entry = entry(partition, message);
        return entry != null && isOf(message, entry);
    }

    private synchronized @Nullable Entry look(Partition partition, PersistedMessage message) {
        Entry entry = entry(partition, message);
        if (entry == null) {
            return null;
        }
        // One entry settles one message: an id may be there twice. It is remembered again if this close fails, too.
        forget(entry);
        return isOf(message, entry) ? entry : null;
    }

    private @Nullable Entry entry(Partition partition, PersistedMessage message) {
        Map<String, Entry> entries = partitions.get(partition);
        return entries == null ? null : entries.get(message.id());
    }

    /** Another message may have its id, it may have been tried elsewhere since, and an hour may have passed. */
    private boolean isOf(PersistedMessage message, Entry entry) {
        boolean isAnother = !entry.createdAt.equals(message.createdAt());
        boolean stale = entry.kind != Kind.PUBLISHED && entry.attempts != message.attempts();
        return !isAnother && !stale && time.nanos() - entry.expires <= 0;
    }

    /**
     * A partition came with this message first. A batch begins with the oldest, so what is remembered of the partition
     * and older is gone, if it is not there: its close took effect, and only the answer was lost. Should a clock have
     * misled us here, a message is published once more.
     */
    void sawHead(Partition partition, PersistedMessage head) {
        if (size != 0) {
            forgetOlder(partition, head);
        }
    }

    private synchronized void forgetOlder(Partition partition, PersistedMessage head) {
        Map<String, Entry> entries = partitions.get(partition);
        if (entries == null || entries.containsKey(head.id())) {
            return;
        }
        int before = entries.size();
        entries.values().removeIf(entry -> entry.createdAt.isBefore(head.createdAt()));
        size -= before - entries.size();
        if (entries.isEmpty()) {
            partitions.remove(partition);
        }
    }

    private void expire() {
        long now = time.nanos();
        int left = 0;
        for (Iterator<Map<String, Entry>> all = partitions.values().iterator(); all.hasNext(); ) {
            Map<String, Entry> entries = all.next();
            entries.values().removeIf(entry -> now - entry.expires > 0);
            left += entries.size();
            if (entries.isEmpty()) {
                all.remove();
            }
        }
        size = left;
    }
}
