package dev.outbox.tck;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What concurrent clients did, and whether the contract allows it. All times are of one monotonic clock, in
 * nanoseconds, and taken so that they never make a correct store look wrong: a hold surely lasts from after checkout
 * returned to before close was called; a commit is surely visible only after it returned. Every check takes time in
 * proportion to the history, but for sorting it. Events are added by one thread at a time.
 */
final class History {
    /** How an operation ended; unknown if its answer was an exception that leaves both possible. */
    enum End {
        OK,
        NOT_DONE,
        UNKNOWN
    }

    /** A message that was written: its persist began, and its transaction ended. */
    record Written(String id, String partition, long began, long commitCalled, long ended, End committed) {}

    /** A message in a batch, as the {@code index}th; {@code settled} if it was marked published or a dead letter. */
    record Delivered(
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

    private final Map<String, Written> written = new HashMap<>();
    private final List<Delivered> deliveries = new ArrayList<>();

    History(Collection<Written> written, Collection<Delivered> deliveries) {
        for (Written each : written) {
            Written other = this.written.put(each.id(), each);
            if (other != null) {
                throw new RuleBroken("OBX-ID-1", "Two messages have the same id: " + other + " and " + each);
            }
        }
        this.deliveries.addAll(deliveries);
        this.deliveries.sort(
                Comparator.comparingLong(Delivered::checkoutReturned).thenComparingInt(Delivered::index));
    }

    /** OBX-EXCL-1: no two open batches share a message. */
    void checkMessagesAreExclusive() {
        Map<String, Delivered> last = new HashMap<>();
        for (Delivered each : deliveries) {
            Delivered before = last.put(each.id(), each);
            if (before != null && each.checkoutReturned() < before.closeCalled()) {
                throw new RuleBroken("OBX-EXCL-1", "Two open batches had the same message:" + show(before, each));
            }
            if (before != null && before.closeCalled() > each.closeCalled()) {
                last.put(each.id(), before);
            }
        }
    }

    /** OBX-ORDER-3: no two open batches share a partition. */
    void checkPartitionsAreExclusive() {
        Map<String, Delivered> last = new HashMap<>();
        for (Delivered each : deliveries) {
            Delivered before = last.get(each.partition());
            if (before != null
                    && !before.batch().equals(each.batch())
                    && each.checkoutReturned() < before.closeCalled()) {
                throw new RuleBroken("OBX-ORDER-3", "Two open batches had the same partition:" + show(before, each));
            }
            if (before == null || before.closeCalled() <= each.closeCalled()) {
                last.put(each.partition(), each);
            }
        }
    }

    /** OBX-TX-1, OBX-TX-2: nothing comes that was not committed, or before its commit was called. */
    void checkOnlyCommittedMessagesCame() {
        for (Delivered each : deliveries) {
            Written message = written.get(each.id());
            if (message == null) {
                throw new RuleBroken("OBX-TX-1", "A message came that nobody wrote:" + show(each));
            }
            if (message.committed() == End.NOT_DONE) {
                throw new RuleBroken(
                        "OBX-TX-1", "A message came whose transaction was rolled back: " + message + show(each));
            }
            if (each.checkoutReturned() < message.commitCalled()) {
                throw new RuleBroken("OBX-TX-2", "A message came before its commit: " + message + show(each));
            }
        }
    }

    /** OBX-CLOSE-1: what was settled does not come again. */
    void checkNothingSettledCameAgain() {
        Map<String, Delivered> settled = new HashMap<>();
        for (Delivered each : deliveries) {
            Delivered before = settled.get(each.id());
            if (before != null && before.closeReturned() < each.checkoutCalled()) {
                throw new RuleBroken("OBX-CLOSE-1", "A message that was settled came again:" + show(before, each));
            }
            if (before == null && each.settled() && each.closed() == End.OK) {
                settled.put(each.id(), each);
            }
        }
    }

    /** OBX-TX-1: whatever was committed was settled in the end. To be asked when the outbox is empty. */
    void checkNothingWasLost() {
        Set<String> settled = new HashSet<>();
        for (Delivered each : deliveries) {
            if (each.settled() && each.closed() != End.NOT_DONE) {
                settled.add(each.id());
            }
        }
        for (Written message : written.values()) {
            if (message.committed() == End.OK && !settled.contains(message.id())) {
                throw new RuleBroken(
                        "OBX-TX-1",
                        "A message was committed and never settled, although the outbox is empty: " + message
                                + show(deliveries.stream()
                                        .filter(d -> d.id().equals(message.id()))
                                        .toArray(Delivered[]::new)));
            }
        }
    }

    /**
     * OBX-ORDER-1: if one message was committed before another of its partition began to be written, it is settled first.
     * It is enough to compare each with the one, of those settled before, that was begun last.
     */
    void checkPartitionsCameInOrder() {
        Map<String, Delivered> latest = new HashMap<>();
        for (Delivered each : deliveries) {
            Written message = written.get(each.id());
            if (message == null || !each.settled() || each.closed() != End.OK) {
                continue;
            }
            Delivered before = latest.get(each.partition());
            Written earlier = before == null ? null : written.get(before.id());
            if (before != null && earlier != null && message.ended() < earlier.began()) {
                throw new RuleBroken(
                        "OBX-ORDER-1",
                        "A message was settled after one that was written after it was committed: " + message + " and "
                                + earlier + show(before, each));
            }
            if (earlier == null || earlier.began() < message.began()) {
                latest.put(each.partition(), each);
            }
        }
    }

    /** How often a client found a message that another one had released. */
    long redeliveries() {
        return deliveries.size()
                - deliveries.stream().map(Delivered::id).distinct().count();
    }

    /** How many commits and closes failed, or may have. */
    long failures() {
        return written.values().stream()
                        .filter(w -> w.committed() == End.UNKNOWN)
                        .count()
                + deliveries.stream().filter(d -> d.closed() != End.OK).count();
    }

    int deliveries() {
        return deliveries.size();
    }

    /** How often a batch was checked out while another was open. */
    long overlappingBatches() {
        long overlapping = 0;
        @Nullable Delivered longest = null;
        Set<String> seen = new HashSet<>();
        for (Delivered each : deliveries) {
            if (!seen.add(each.batch())) {
                continue;
            }
            if (longest != null && each.checkoutReturned() < longest.closeCalled()) {
                overlapping++;
            }
            if (longest == null || longest.closeCalled() < each.closeCalled()) {
                longest = each;
            }
        }
        return overlapping;
    }

    private static String show(Delivered... deliveries) {
        StringBuilder shown = new StringBuilder();
        for (Delivered each : deliveries) {
            shown.append("\n      ").append(each);
        }
        return shown.toString();
    }
}
