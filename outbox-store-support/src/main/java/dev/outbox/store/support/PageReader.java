package dev.outbox.store.support;

import dev.outbox.Browsing.Page;
import dev.outbox.Operations.FailingPartition;
import dev.outbox.PendingMessage;
import dev.outbox.PersistedMessage;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Reads a page of messages in portions. The first is small. It shows how many of such messages fit into a page, so
 * large messages make a page shorter, and do not fill the memory.
 */
final class PageReader {
    private static final int FIRST_PORTION = 4;

    /** What a page has at most, if it is more than one portion. */
    private static final long BYTES = 8 << 20;

    /** What a message without a payload takes, about. */
    private static final int OVERHEAD = 200;

    private final StoreOperations operations;
    private final String topic;

    /** Reads messages of a topic. */
    PageReader(StoreOperations operations, String topic) {
        this.operations = operations;
        this.topic = topic;
    }

    /**
     * A page.
     *
     * @param partition the only partition wanted, or null
     * @param after where the page before ended, or null
     */
    Page read(@Nullable Integer partition, @Nullable Place after, int limit) {
        Place start = Place.startOf(partition == null ? 0 : partition);
        Place place = after == null || after.compareTo(start) < 0 ? start : after;
        int last = partition == null ? Integer.MAX_VALUE : partition;
        List<StoreOperations.Placed> read = new ArrayList<>();
        long bytes = 0;
        int portion = Math.min(limit, FIRST_PORTION);
        boolean more = place.partition() <= last;
        while (more && portion > 0) {
            List<StoreOperations.Placed> some = operations.pending(topic, place, last, portion);
            for (StoreOperations.Placed each : some) {
                read.add(each);
                place = each.place();
                bytes += bytes(each.message());
            }
            more = some.size() == portion;
            long fit = read.isEmpty() ? 0 : (BYTES - bytes) / (bytes / read.size());
            portion = (int) Math.min(limit - read.size(), fit);
        }
        return new Page(pending(read), more ? place.toString() : null);
    }

    private List<PendingMessage> pending(List<StoreOperations.Placed> read) {
        if (read.isEmpty()) {
            return List.of();
        }
        SortedSet<Integer> partitions = new TreeSet<>();
        read.forEach(each -> partitions.add(each.message().partition()));
        Map<Integer, FailingPartition> failing = new HashMap<>();
        operations.failingPartitions(topic, partitions).forEach(each -> failing.put(each.partition(), each));
        return read.stream()
                .map(each -> pending(each.message(), failing.get(each.message().partition())))
                .toList();
    }

    /**
     * A message that waits.
     *
     * @param failing its partition, if it fails; else null
     */
    static PendingMessage pending(PersistedMessage message, @Nullable FailingPartition failing) {
        return failing == null
                ? new PendingMessage(message, null, null)
                : new PendingMessage(
                        message,
                        failing.messageId().equals(message.id()) ? failing.reason() : null,
                        failing.nextAttempt());
    }

    private static long bytes(PersistedMessage message) {
        long bytes = (long) OVERHEAD + message.payload().length;
        String key = message.key();
        bytes += key == null ? 0 : key.length();
        for (Map.Entry<String, String> header : message.headers().entrySet()) {
            bytes += header.getKey().length() + header.getValue().length();
        }
        return bytes;
    }
}
