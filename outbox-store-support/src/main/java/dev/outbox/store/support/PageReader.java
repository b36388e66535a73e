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
 * large messages make a page shorter, and do not fill the memory. Messages may become larger from one to the next, so
 * every portion has a limit of bytes, too.
 */
final class PageReader {
    private static final int FIRST_PORTION = 4;

    /** Bounds what keys and headers take, which are read as a whole. Some servers read a payload to tell its size. */
    private static final int LARGEST_PORTION = 200;

    /** A page ends with the message with which it has this number of bytes. */
    private static final long BYTES = 8 << 20;

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
        int first = partition == null ? 0 : partition;
        int last = partition == null ? Integer.MAX_VALUE : partition;
        Place start = Place.startOf(first);
        Place next = after == null || after.compareTo(start) < 0 ? start : after;
        if (next.partition() > last) {
            return new Page(List.of(), null);
        }
        StoreOperations.Listing listing = operations.listing(topic, next.partition(), last);
        List<StoreOperations.Placed> read = new ArrayList<>();
        long bytes = 0;
        int wanted = Math.min(limit, FIRST_PORTION);
        while (next != null && wanted > 0) {
            StoreOperations.Portion portion = listing.next(next, wanted, BYTES - bytes);
            for (StoreOperations.Placed each : portion.messages()) {
                read.add(each);
                bytes += each.bytes();
            }
            next = portion.next();
            long fitting = read.isEmpty() ? FIRST_PORTION : (BYTES - bytes) / (bytes / read.size());
            wanted = (int) Math.min(Math.min(limit - read.size(), LARGEST_PORTION), fitting);
        }
        return new Page(pending(read), next == null ? null : next.toString());
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
}
