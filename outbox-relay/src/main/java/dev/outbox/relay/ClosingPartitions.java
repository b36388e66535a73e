package dev.outbox.relay;

import dev.outbox.PersistedMessage;
import dev.outbox.relay.Unsettled.Entry;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The outcomes of batches that rounds of this relay are closing now. A close that fails gives its partitions back
 * before this process learns that it failed. Another worker may take them in between, and must not publish those
 * messages once more. So it looks here first. If its batch has a message of a close that is under way, then that close
 * did not settle the message, and never will. The outcome is remembered then, however long the answer of the store
 * takes. Safe for use by several threads.
 */
final class ClosingPartitions {
    /** One close. */
    static final class Close {
        private final List<Entry> entries;

        /** Whether the round that closes has done with the entries what is to be done; guarded by this. */
        private boolean told;

        private Close(List<Entry> entries) {
            this.entries = entries;
        }
    }

    private final Set<Close> closes = ConcurrentHashMap.newKeySet();

    /**
     * A close with these outcomes begins. They must not change until it ends. Null if there are none, or if there is no
     * memory for it: nothing may keep a batch from being closed.
     */
    @Nullable
    Close begin(List<Entry> entries) {
        if (entries.isEmpty()) {
            return null;
        }
        try {
            Close close = new Close(entries);
            closes.add(close);
            return close;
        } catch (Throwable e) {
            return null;
        }
    }

    /** What became of it is known, and the entries that nobody took over are remembered or forgotten. */
    void end(@Nullable Close close, @Nullable Throwable failure, Unsettled unsettled, List<Entry> entries) {
        if (close == null) {
            unsettled.closed(entries, failure == null);
            return;
        }
        try {
            synchronized (close) {
                close.told = true;
                unsettled.closed(entries, failure == null);
            }
        } finally {
            closes.remove(close);
        }
    }

    /**
     * A round has these partitions now. Outcomes of their messages are remembered, if closes have them. If a partition
     * begins with a message that is younger, the close took effect, as {@link Unsettled#sawHead} explains, and whatever
     * its answer is, nothing is remembered.
     */
    void takeOver(List<? extends PartitionQueue<?>> queues, Unsettled unsettled) {
        if (closes.isEmpty()) {
            return;
        }
        Map<Partition, Taken> taken = new HashMap<>();
        queues.forEach(queue -> taken.put(queue.partition, new Taken(queue)));
        for (Close close : closes) {
            synchronized (close) {
                if (!close.told) {
                    takeOver(close.entries, taken, unsettled);
                }
            }
        }
    }

    private static void takeOver(List<Entry> entries, Map<Partition, Taken> taken, Unsettled unsettled) {
        Set<Partition> withHeads = new HashSet<>();
        for (Entry entry : entries) {
            Taken partition = taken.get(entry.partition);
            if (partition != null && partition.head().id().equals(entry.id)) {
                withHeads.add(entry.partition);
            }
        }
        for (Entry entry : entries) {
            Taken partition = taken.get(entry.partition);
            if (partition == null || entry.takenOver) {
                continue;
            }
            if (partition.ids().contains(entry.id)) {
                unsettled.remember(new Entry(entry));
                entry.takenOver = true;
            } else if (!withHeads.contains(entry.partition)
                    && entry.createdAt.isBefore(partition.head().createdAt())) {
                entry.takenOver = true;
            }
        }
    }

    /** A partition of the round. Its ids are collected once, and only if a close has the partition. */
    private static final class Taken {
        private final PartitionQueue<?> queue;
        private @Nullable Set<String> ids;

        Taken(PartitionQueue<?> queue) {
            this.queue = queue;
        }

        PersistedMessage head() {
            return queue.head();
        }

        Set<String> ids() {
            Set<String> all = ids;
            if (all == null) {
                all = queue.ids();
                ids = all;
            }
            return all;
        }
    }
}
