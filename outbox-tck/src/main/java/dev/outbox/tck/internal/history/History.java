package dev.outbox.tck.internal.history;

import dev.outbox.tck.internal.record.RuleViolation;
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
 * returned to before close was called; a commit is surely visible only after it returned. An operation that timed out,
 * whose connection broke or whose process was killed is unknown: it may have been done or not, and is never held to be
 * one of both. Every check takes time in proportion to the history, except for sorting it.
 */
public final class History {
    /** How an operation ended; unknown if its answer was an exception, or none, that leaves both possible. */
    public enum End {
        OK,
        NOT_DONE,
        UNKNOWN
    }

    /** A message that was written: its persist began, and its transaction ended. */
    public record Written(
            String id,
            String partition,
            String transaction,
            long began,
            long commitCalled,
            long ended,
            End committed) {}

    /** A message in a batch, as the {@code index}th; {@code settled} if it was marked published or a dead letter. */
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

    private final Map<String, Written> written = new HashMap<>();
    private final List<Delivered> deliveries = new ArrayList<>();

    public History(Collection<Written> written, Collection<Delivered> deliveries) {
        for (Written each : written) {
            Written other = this.written.put(each.id(), each);
            if (other != null) {
                throw new RuleViolation("OBX-ID-1", "Two messages have the same id:" + Witnesses.show(other, each));
            }
        }
        this.deliveries.addAll(deliveries);
        this.deliveries.sort(
                Comparator.comparingLong(Delivered::checkoutReturned).thenComparingInt(Delivered::index));
    }

    /** All that can be said of a history at whose end the outbox was empty. */
    public void check(boolean partitionsAreExclusive) {
        checkOnlyCommittedMessagesCame();
        checkMessagesAreExclusive();
        if (partitionsAreExclusive) {
            checkPartitionsAreExclusive();
            checkPartitionsCameInOrder();
        }
        checkNothingSettledCameAgain();
        checkClosesAreAtomic();
        checkTransactionsAreAtomic();
        checkNothingWasLost();
    }

    /** OBX-EXCL-1: no two open batches share a message. */
    public void checkMessagesAreExclusive() {
        Map<String, Delivered> last = new HashMap<>();
        for (Delivered each : deliveries) {
            Delivered before = last.put(each.id(), each);
            if (before != null && each.checkoutReturned() < before.closeCalled()) {
                throw new RuleViolation(
                        "OBX-EXCL-1", "Two open batches had the same message:" + Witnesses.show(before, each));
            }
            if (before != null && before.closeCalled() > each.closeCalled()) {
                last.put(each.id(), before);
            }
        }
    }

    /** OBX-ORDER-3: no two open batches share a partition. */
    public void checkPartitionsAreExclusive() {
        Map<String, Delivered> last = new HashMap<>();
        for (Delivered each : deliveries) {
            Delivered before = last.get(each.partition());
            if (before != null
                    && !before.batch().equals(each.batch())
                    && each.checkoutReturned() < before.closeCalled()) {
                throw new RuleViolation(
                        "OBX-ORDER-3", "Two open batches had the same partition:" + Witnesses.show(before, each));
            }
            if (before == null || before.closeCalled() <= each.closeCalled()) {
                last.put(each.partition(), each);
            }
        }
    }

    /** OBX-TX-1, OBX-TX-2: nothing comes that was not committed, or before its commit was called. */
    public void checkOnlyCommittedMessagesCame() {
        for (Delivered each : deliveries) {
            Written message = written.get(each.id());
            if (message == null) {
                throw new RuleViolation("OBX-TX-1", "A message came that nobody wrote:" + Witnesses.show(each));
            }
            if (message.committed() == End.NOT_DONE) {
                throw new RuleViolation(
                        "OBX-TX-1",
                        "A message came whose transaction was rolled back:" + Witnesses.show(message, each));
            }
            if (each.checkoutReturned() < message.commitCalled()) {
                throw new RuleViolation(
                        "OBX-TX-2", "A message came before its commit:" + Witnesses.show(message, each));
            }
        }
    }

    /** OBX-CLOSE-1: what was settled does not come again. */
    public void checkNothingSettledCameAgain() {
        Map<String, Delivered> settled = new HashMap<>();
        for (Delivered each : deliveries) {
            Delivered before = settled.get(each.id());
            if (before != null && before.closeReturned() < each.checkoutCalled()) {
                throw new RuleViolation(
                        "OBX-CLOSE-1", "A message that was settled came again:" + Witnesses.show(before, each));
            }
            if (before == null && each.settled() && each.closed() == End.OK) {
                settled.put(each.id(), each);
            }
        }
    }

    /**
     * OBX-CLOSE-1, OBX-FENCE-1: a close that may have been done settled all that it was to settle, or nothing; one that
     * said it was not done, nothing. What was not settled came again. To be asked when the outbox is empty.
     */
    public void checkClosesAreAtomic() {
        Map<String, Delivered> last = new HashMap<>();
        deliveries.forEach(each -> last.put(each.id(), each));
        Map<String, Delivered> gone = new HashMap<>();
        Map<String, Delivered> cameAgain = new HashMap<>();
        for (Delivered each : deliveries) {
            if (!each.settled() || each.closed() == End.OK) {
                continue;
            }
            Delivered latest = last.get(each.id());
            if (latest == null || latest.batch().equals(each.batch())) {
                gone.put(each.batch(), each);
                if (each.closed() == End.NOT_DONE) {
                    throw new RuleViolation(
                            "OBX-FENCE-1",
                            "A message was settled by a close that said it had lost its hold; it never came again:"
                                    + Witnesses.show(each));
                }
            } else {
                cameAgain.put(each.batch(), each);
            }
            Delivered settled = gone.get(each.batch());
            Delivered released = cameAgain.get(each.batch());
            if (settled != null && released != null) {
                Delivered again = last.get(released.id());
                throw new RuleViolation(
                        "OBX-CLOSE-1",
                        "Of the messages that a batch was to settle, one came again and another never did:"
                                + Witnesses.show(settled, released, again == null ? released : again));
            }
        }
    }

    /** OBX-TX-1: of a transaction whose commit may have been done all messages came, or none. For an empty outbox. */
    public void checkTransactionsAreAtomic() {
        Map<String, Delivered> first = new HashMap<>();
        deliveries.forEach(each -> first.putIfAbsent(each.id(), each));
        Map<String, Written> came = new HashMap<>();
        Map<String, Written> missing = new HashMap<>();
        for (Written message : written.values()) {
            if (message.committed() != End.UNKNOWN) {
                continue;
            }
            (first.containsKey(message.id()) ? came : missing).put(message.transaction(), message);
            Written one = came.get(message.transaction());
            Written other = missing.get(message.transaction());
            if (one != null && other != null) {
                throw new RuleViolation(
                        "OBX-TX-1",
                        "Of a transaction one message came, and another never did:"
                                + Witnesses.show(one, other, first.get(one.id())));
            }
        }
    }

    /** OBX-TX-1: whatever was committed was settled in the end. To be asked when the outbox is empty. */
    public void checkNothingWasLost() {
        Set<String> settled = new HashSet<>();
        for (Delivered each : deliveries) {
            if (each.settled() && each.closed() != End.NOT_DONE) {
                settled.add(each.id());
            }
        }
        for (Written message : written.values()) {
            if (message.committed() == End.OK && !settled.contains(message.id())) {
                List<Object> facts = new ArrayList<>(List.of(message));
                deliveries.stream().filter(d -> d.id().equals(message.id())).forEach(facts::add);
                throw new RuleViolation(
                        "OBX-TX-1",
                        "A message was committed and never settled, although the outbox is empty:"
                                + Witnesses.show(facts.toArray()));
            }
        }
    }

    /**
     * OBX-ORDER-1: if one message was committed before another of its partition began to be written, it is settled
     * first. It is enough to compare each with the one, of those settled before, that was begun last.
     */
    public void checkPartitionsCameInOrder() {
        Map<String, Delivered> latest = new HashMap<>();
        for (Delivered each : deliveries) {
            Written message = written.get(each.id());
            if (message == null || message.committed() != End.OK || !each.settled() || each.closed() != End.OK) {
                continue;
            }
            Delivered before = latest.get(each.partition());
            Written earlier = before == null ? null : written.get(before.id());
            if (before != null && earlier != null && message.ended() < earlier.began()) {
                throw new RuleViolation(
                        "OBX-ORDER-1",
                        "A message was settled after one that was written after it was committed:"
                                + Witnesses.show(message, earlier, before, each));
            }
            if (earlier == null || earlier.began() < message.began()) {
                latest.put(each.partition(), each);
            }
        }
    }

    /** How often a client found a message that another one had released. */
    public long redeliveries() {
        return deliveries.size()
                - deliveries.stream().map(Delivered::id).distinct().count();
    }

    /** How many commits and closes failed, or may have. */
    public long failures() {
        return written.values().stream()
                        .filter(w -> w.committed() == End.UNKNOWN)
                        .count()
                + deliveries.stream().filter(d -> d.closed() != End.OK).count();
    }

    public int deliveries() {
        return deliveries.size();
    }

    /** Every persist, end of a transaction, checkout that found something, and close. */
    public long operations() {
        long transactions =
                written.values().stream().map(Written::transaction).distinct().count();
        long batches = deliveries.stream().map(Delivered::batch).distinct().count();
        return written.size() + transactions + 2 * batches;
    }

    /** How often a batch was checked out while another was open. */
    public long overlappingBatches() {
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

    /** What was seen, in a line. */
    public String summary() {
        return "no violation in " + operations() + " operations: " + written.size() + " messages, " + deliveries()
                + " deliveries of which " + redeliveries() + " were repeated, " + overlappingBatches()
                + " overlapping batches, " + failures() + " failed or unknown";
    }

    /** The few events that prove something, in the order in which they happened. */
    private static final class Witnesses {
        private record Event(long at, String what) {}

        static String show(@Nullable Object... facts) {
            List<Event> events = new ArrayList<>();
            for (Object fact : facts) {
                if (fact instanceof Written w) {
                    String transaction = w.transaction();
                    events.add(new Event(
                            w.began(), transaction + " begins to persist message " + w.id() + " of " + w.partition()));
                    events.add(new Event(w.commitCalled(), transaction + " is to be ended"));
                    events.add(new Event(w.ended(), transaction + " ended: " + ended(w.committed())));
                } else if (fact instanceof Delivered d) {
                    String message = "message " + d.id() + " of " + d.partition();
                    events.add(new Event(d.checkoutCalled(), d.batch() + ": checkout is called"));
                    events.add(new Event(d.checkoutReturned(), d.batch() + ": has " + message));
                    events.add(new Event(
                            d.closeCalled(),
                            d.batch() + ": close is called, with " + message
                                    + (d.settled() ? " marked" : " not marked, or failed")));
                    events.add(new Event(d.closeReturned(), d.batch() + ": close ended: " + ended(d.closed())));
                }
            }
            StringBuilder shown = new StringBuilder();
            events.stream()
                    .distinct()
                    .sorted(Comparator.comparingLong(Event::at))
                    .forEach(event -> shown.append(
                            event.at() == Long.MAX_VALUE
                                    ? "\n                   " + event.what()
                                    : String.format("%n    %12.3f ms %s", event.at() / 1e6, event.what())));
            return shown.toString();
        }

        private static String ended(End end) {
            return switch (end) {
                case OK -> "done";
                case NOT_DONE -> "not done";
                case UNKNOWN -> "unknown";
            };
        }
    }
}
