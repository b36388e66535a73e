package dev.outbox.tck.internal.explore;

import dev.outbox.DeadLetter;
import dev.outbox.Operations.Backlog;
import dev.outbox.Operations.FailingPartition;
import dev.outbox.OutgoingMessage;
import dev.outbox.PersistedMessage;
import dev.outbox.tck.internal.explore.ModelBatch.Mark;
import dev.outbox.tck.internal.explore.ModelBatch.Outcome;
import dev.outbox.tck.internal.explore.ModelMessage.State;
import dev.outbox.tck.internal.explore.ModelPartition.Failing;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What one thread has seen and done, and what it may see next. It knows no store, only the contract. Where the contract
 * leaves a choice, all answers are right: the order of transactions that overlapped, when a message comes that was
 * committed late, which partitions have their turn.
 *
 * <p>Times are read before a call where something must not happen earlier, and after it where it must have happened by
 * then. So a call that takes long makes the model know less, and never accuse a store that keeps the contract.
 */
final class Model {
    /** How much later than its delay says a partition may be ready: a store's clock may tick in whole seconds. */
    private static final long SLACK = TimeUnit.SECONDS.toNanos(2);

    /** A message that was committed late comes within seconds. */
    private static final long SECONDS = TimeUnit.SECONDS.toNanos(10);

    /** Delays beyond this are endless. */
    private static final long ENDLESS = TimeUnit.DAYS.toMillis(10_000);

    private static final int LEAST_PARTITIONS = 100;
    private static final int LEAST_MESSAGES = 10_000;
    private static final long LEAST_BYTES = 16L * 1024 * 1024;

    /** A store need not look for partitions every time that it has enough of those it knows. */
    private static final long LONGEST_UNNOTICED = TimeUnit.SECONDS.toNanos(3);

    /** For how many rounds of all ready partitions one of them may be passed over then. */
    private static final double MOST_ROUNDS = 8;

    private final boolean exclusive;
    private final Map<String, ModelMessage> messages = new HashMap<>();
    private final Map<String, ModelPartition> partitions = new LinkedHashMap<>();
    private final Set<ModelBatch> open = new HashSet<>();
    private final long began = System.nanoTime();
    private long clock;
    private long largest;

    Model(boolean exclusive) {
        this.exclusive = exclusive;
    }

    // --- transactions

    void wrote(Object transaction, OutgoingMessage message, int serial) {
        ModelPartition partition = partitions.computeIfAbsent(
                message.topic() + "/" + message.partition(),
                name -> new ModelPartition(message.topic(), message.partition()));
        ModelMessage written = new ModelMessage(message, partition, transaction, serial, ++clock);
        messages.put(message.id(), written);
        largest = Math.max(largest, written.bytes);
    }

    void committed(List<OutgoingMessage> written) {
        clock++;
        long until = System.nanoTime() + SECONDS;
        for (OutgoingMessage each : written) {
            ModelMessage message = known(each.id());
            becomesPending(message);
            ModelPartition partition = message.partition;
            if (partition.handedOut > message.written) {
                message.mayBeMissingUntil = until;
                message.late = true;
                if (partition.failing == Failing.YES) {
                    partition.failing = Failing.MAYBE; // it may be the head now
                }
            }
        }
    }

    private void becomesPending(ModelMessage message) {
        message.state = State.PENDING;
        message.committed = clock;
        ModelPartition partition = message.partition;
        if (partition.pending.isEmpty()) {
            partition.passedOver.clear();
            partition.why = "OBX-TX-3";
        }
        partition.pending.add(message);
    }

    void rolledBack(List<OutgoingMessage> written) {
        written.forEach(each -> known(each.id()).state = State.ROLLED_BACK);
    }

    private ModelMessage known(String id) {
        return Objects.requireNonNull(messages.get(id));
    }

    // --- checkouts

    /**
     * Compares a batch with what may and must be in it, and notes its hold.
     *
     * @param called when the checkout was called
     * @param returned when it had returned
     */
    ModelBatch checkedOut(
            String client, Set<String> topics, int limit, List<PersistedMessage> batch, long called, long returned) {
        if (batch.size() > limit) {
            throw new Violation("OBX-LIMIT-1", "a batch of at most " + limit + " has " + batch.size() + " messages");
        }
        String asker = client + topics;
        Map<PersistedMessage, ModelMessage> came = new LinkedHashMap<>();
        Map<ModelPartition, List<ModelMessage>> byPartition = new LinkedHashMap<>();
        Set<ModelMessage> all = new HashSet<>();
        for (PersistedMessage each : batch) {
            ModelMessage message = checkMayCome(each, topics, returned);
            if (!all.add(message)) {
                throw new Violation("OBX-EXCL-1", message + " is in the batch twice");
            }
            came.put(each, message);
            byPartition
                    .computeIfAbsent(message.partition, p -> new ArrayList<>())
                    .add(message);
        }
        byPartition.forEach((partition, own) -> checkOrder(partition, own, all, called));
        checkRoom(asker, topics, limit, byPartition, all, called);
        ModelBatch held = ModelBatch.of(asker, came, byPartition);
        hold(held);
        return held;
    }

    /** Nothing but what is committed, unsettled, not held, and of a partition that is ready and was asked for. */
    private ModelMessage checkMayCome(PersistedMessage came, Set<String> topics, long returned) {
        ModelMessage message = messages.get(came.id());
        if (message == null) {
            throw new Violation("OBX-TX-1", "a message came that nobody wrote: " + came.id());
        }
        switch (message.state) {
            case WRITTEN -> throw new Violation("OBX-TX-2", message + " came before its transaction had committed");
            case ROLLED_BACK -> throw new Violation("OBX-TX-1", message + " came, whose transaction was rolled back");
            case PUBLISHED -> throw new Violation("OBX-CLOSE-1", message + " came again after it was published");
            case DEAD -> throw new Violation("OBX-DEAD-1", message + " came, which is a dead letter");
            case DISCARDED -> throw new Violation("OBX-DEAD-4", message + " came, which was discarded");
            case PENDING -> {}
        }
        String difference = message.differenceTo(came);
        if (difference != null) {
            throw new Violation("OBX-PAYLOAD-1", message + " came, and " + difference);
        }
        ModelPartition partition = message.partition;
        if (!topics.contains(partition.topic)) {
            throw new Violation("OBX-FILTER-1", message + " came, whose topic was not asked for");
        }
        if (message.holder != null) {
            throw new Violation("OBX-EXCL-1", message + " came, which another open batch has");
        }
        if (partition.holder != null && exclusive) {
            throw new Violation("OBX-ORDER-3", message + " came, while another open batch holds its partition");
        }
        if (returned - partition.notBefore < 0) {
            throw new Violation(
                    "OBX-RETRY-2",
                    message + " came, " + TimeUnit.NANOSECONDS.toMillis(partition.notBefore - returned)
                            + " ms before the delay of its partition was over");
        }
        if (came.attempts() != message.attempts) {
            throw new Violation(
                    message.redriven && message.attempts == 0 ? "OBX-DEAD-3" : "OBX-RETRY-1",
                    message + " came with " + came.attempts() + " attempts, and was tried " + message.attempts
                            + " times");
        }
        return message;
    }

    /** Whatever surely comes before another stands before it, and so does what was seen to; nothing is left out. */
    private void checkOrder(ModelPartition partition, List<ModelMessage> own, Set<ModelMessage> all, long called) {
        ModelMessage latest = own.get(0);
        Map<Object, ModelMessage> last = new HashMap<>();
        for (ModelMessage each : own) {
            ModelMessage before = last.put(each.group, each);
            ModelMessage wrong = before != null && each.isSurelyBefore(before)
                    ? before
                    : each.isSurelyBefore(latest) ? latest : null;
            if (wrong != null) {
                throw new Violation(
                        each.redriven || wrong.redriven ? "OBX-DEAD-3" : "OBX-ORDER-1",
                        each + " comes after " + wrong + ", which is later");
            }
            latest = each.written > latest.written ? each : latest;
        }
        Iterator<ModelMessage> order = own.iterator();
        ModelMessage leftOut = null;
        for (ModelMessage each : partition.inOrder) {
            if (!all.contains(each)) {
                leftOut = leftOut == null && each.holder == null ? each : leftOut;
                continue;
            }
            if (leftOut != null) {
                throw new Violation(
                        leftOut.attempts > 0 ? "OBX-RETRY-2" : "OBX-ORDER-2",
                        leftOut + " is not in the batch, and " + each + " is, which came after it before");
            }
            ModelMessage next = null;
            while (next != each) {
                if (!order.hasNext()) {
                    throw new Violation("OBX-ORDER-2", each + " has changed its place in the partition");
                }
                next = order.next();
            }
        }
        for (ModelMessage each : partition.pending) {
            if (!all.contains(each) && each.holder == null) {
                ModelMessage ofGroup = last.get(each.group);
                boolean late = each.mayBeMissing(called);
                ModelMessage after = each.isSurelyBefore(latest)
                        ? latest
                        : ofGroup != null && each.isSurelyBefore(ofGroup) && !late ? ofGroup : null;
                if (after != null) {
                    throw new Violation(
                            after.redriven ? "OBX-DEAD-3" : late ? "OBX-ORDER-4" : "OBX-ORDER-1",
                            each + " is not in the batch, and " + after + " is, which is later");
                }
            }
        }
    }

    /** A batch that has room has left nothing out; and nobody is left out again and again. */
    private void checkRoom(
            String asker,
            Set<String> topics,
            int limit,
            Map<ModelPartition, List<ModelMessage>> batch,
            Set<ModelMessage> all,
            long called) {
        List<ModelPartition> asked = partitions.values().stream()
                .filter(partition -> topics.contains(partition.topic))
                .toList();
        List<ModelPartition> ready = asked.stream()
                .filter(partition -> partition.isReady(asker, called))
                .toList();
        // Only then does nothing that it remembers make a store leave a partition to others, or to the next checkout.
        boolean fresh = open.isEmpty() && asked.stream().allMatch(partition -> partition.lastAsker.isEmpty());
        long bytes = all.stream().mapToLong(message -> message.bytes).sum();
        if (all.size() >= LEAST_MESSAGES || bytes + largest >= LEAST_BYTES) {
            return;
        }
        boolean bounded = batch.size() >= LEAST_PARTITIONS;
        Supplier<String> what = () -> "a checkout of " + limit + ", where " + ready.size() + " partitions with "
                + ready.stream()
                        .mapToInt(partition -> partition.due(called).size())
                        .sum()
                + " messages were ready, returned " + all.size() + " messages of " + batch.size() + " partitions: ";
        for (ModelPartition partition : ready) {
            boolean present = batch.containsKey(partition);
            ModelMessage missing = all.size() == limit || bounded && !present
                    ? null
                    : partition.pending.stream()
                            .filter(message -> !all.contains(message) && message.isDue(called))
                            .findFirst()
                            .orElse(null);
            if (missing != null) {
                throw Violation.missing(
                        whyMissing(partition, missing, ready.size()), what.get() + missing + " is missing");
            }
        }
        for (ModelPartition partition : ready) {
            if (batch.containsKey(partition)) {
                partition.passedOver.remove(asker);
            } else if (fresh && !bounded && asked.size() <= limit) {
                throw Violation.missing("OBX-LIMIT-2", what.get() + partition + " got no place");
            } else if (open.isEmpty()) {
                double round = (double) batch.size() / ready.size();
                ModelPartition.Waits waits = partition.passedOver.merge(
                        asker, new ModelPartition.Waits(round, called), (old, now) -> old.plus(round));
                if (waits.rounds() > MOST_ROUNDS && called - waits.since() > LONGEST_UNNOTICED) {
                    throw Violation.missing(
                            "OBX-LIMIT-2",
                            what.get() + partition + " was passed over for the last " + Math.round(waits.rounds())
                                    + " rounds");
                }
            }
        }
    }

    private static String whyMissing(ModelPartition partition, ModelMessage missing, int ready) {
        if (missing.redriven && !missing.seen) {
            return "OBX-DEAD-3";
        }
        if (missing.late) {
            return "OBX-TX-4";
        }
        return partition.why.equals("OBX-TX-3") && ready > 50 ? "OBX-LIMIT-2" : partition.why;
    }

    private void hold(ModelBatch held) {
        if (held.partitions().isEmpty()) {
            return;
        }
        open.add(held);
        held.partitions().forEach((partition, own) -> {
            partition.holder = held;
            for (ModelMessage each : own) {
                each.holder = held;
                each.seen = true;
                each.late = false;
                each.mayBeMissingUntil = System.nanoTime();
                partition.handedOut = Math.max(partition.handedOut, each.written);
            }
            List<ModelMessage> inOrder = new ArrayList<>(own);
            Set<ModelMessage> these = new HashSet<>(own);
            partition.inOrder.stream().filter(each -> !these.contains(each)).forEach(inOrder::add);
            partition.inOrder = inOrder;
        });
    }

    // --- what becomes of batches

    /** Its outcomes took effect. */
    void closed(ModelBatch batch, long called, long returned) {
        clock++;
        batch.partitions().forEach((partition, own) -> settle(batch, partition, own, called, returned));
        release(batch, returned, returned);
    }

    private void settle(
            ModelBatch batch, ModelPartition partition, List<ModelMessage> own, long called, long returned) {
        List<ModelMessage> left = new ArrayList<>();
        List<ModelMessage> failed = new ArrayList<>();
        long delay = 0;
        boolean buried = false;
        Set<ModelMessage> gone = new HashSet<>();
        for (ModelMessage each : own) {
            Mark mark = batch.marks().get(each);
            if (mark == null) {
                left.add(each);
                continue;
            }
            if (mark.outcome() == Outcome.PUBLISHED) {
                each.state = State.PUBLISHED;
                gone.add(each);
                continue;
            }
            each.attempts++;
            each.reason = mark.reason();
            if (mark.outcome() == Outcome.BURIED) {
                each.state = State.DEAD;
                each.died = clock;
                buried = true;
                gone.add(each);
            } else {
                left.add(each);
                failed.add(each);
                delay = Math.max(delay, mark.delayMillis());
            }
        }
        if (!gone.isEmpty()) {
            partition.pending.removeIf(gone::contains);
            partition.inOrder.removeIf(gone::contains);
        }
        noteFailing(partition, left, failed);
        if (!failed.isEmpty()) {
            partition.notBefore = later(called, delay);
            partition.readyFrom = later(returned, delay) + (delay == 0 ? 0 : SLACK);
            partition.passedOver.clear();
            partition.why = delay == 0 ? "OBX-RETRY-4" : "OBX-RETRY-2";
        } else if (buried) {
            partition.why = "OBX-DEAD-1";
        } else {
            partition.why = gone.isEmpty() ? "OBX-CLOSE-6" : "OBX-TX-3";
        }
        if (partition.pending.isEmpty()) {
            partition.passedOver.clear();
        }
    }

    private static void noteFailing(ModelPartition partition, List<ModelMessage> left, List<ModelMessage> failed) {
        long now = System.nanoTime();
        boolean sure = partition.pending.stream().noneMatch(message -> message.mayBeMissing(now));
        if (!failed.isEmpty()) {
            boolean head = sure && left.get(0) == failed.get(0);
            partition.failing = head ? Failing.YES : Failing.MAYBE;
            partition.failingMessage = head ? failed.get(0) : null;
        } else if (partition.pending.stream().noneMatch(message -> message.attempts > 0)) {
            partition.failing = Failing.NO;
            partition.failingMessage = null;
        } else if (partition.failing == Failing.YES
                && partition.failingMessage != null
                && partition.failingMessage.state != State.PENDING) {
            partition.failing = Failing.MAYBE; // a later one has failed too
            partition.failingMessage = null;
        }
    }

    private static long later(long time, long delayMillis) {
        return time + TimeUnit.MILLISECONDS.toNanos(Math.min(ENDLESS, delayMillis));
    }

    /** The client of a batch was closed: it may take a while until others can have its partitions. */
    void clientClosed(ModelBatch batch, long longest) {
        long now = System.nanoTime();
        release(batch, now, now + longest);
    }

    private void release(ModelBatch batch, long now, long freeFrom) {
        open.remove(batch);
        batch.partitions().forEach((partition, own) -> {
            own.forEach(message -> message.holder = null);
            if (batch.equals(partition.holder)) {
                partition.holder = null;
                partition.lastAsker = batch.asker();
                partition.releasedAt = now;
                partition.mayBeHeldUntil = freeFrom;
            }
        });
    }

    // --- operations

    /** Dead letters of a topic, in the order in which they may be asked for. */
    List<String> dead(String topic) {
        return dead(messages.values(), topic).stream()
                .map(each -> each.sent.id())
                .toList();
    }

    private static List<ModelMessage> dead(Collection<ModelMessage> messages, String topic) {
        return messages.stream()
                .filter(each -> each.state == State.DEAD && each.partition.topic.equals(topic))
                .sorted(Comparator.<ModelMessage>comparingLong(each -> each.died)
                        .thenComparingInt(each -> each.partition.number)
                        .thenComparingLong(each -> each.written))
                .toList();
    }

    void redriven(List<String> ids, int said) {
        expect("OBX-DEAD-3", "dead letters that were redriven", ids.size(), said);
        long written = ++clock;
        clock++;
        Object group = new Object();
        int serial = 0;
        for (String id : ids) {
            ModelMessage message = known(id);
            message.group = group;
            message.serial = serial++;
            message.written = written;
            message.attempts = 0;
            message.redriven = true;
            message.seen = false;
            message.late = false;
            message.mayBeMissingUntil = System.nanoTime();
            becomesPending(message);
        }
    }

    void discarded(List<String> ids, int said) {
        expect("OBX-DEAD-4", "dead letters that were discarded", ids.size(), said);
        ids.forEach(id -> known(id).state = State.DISCARDED);
    }

    void retriedNow(String topic, int number, boolean said, long called, long returned) {
        ModelPartition partition = partitions.get(topic + "/" + number);
        Failing failing = partition == null ? Failing.NO : partition.failing;
        if (failing != Failing.MAYBE) {
            expect(
                    "OBX-OPS-3",
                    "retryNow of " + topic + "/" + number + " where failing is " + failing,
                    failing == Failing.YES,
                    said);
        }
        if (partition != null && said) {
            partition.notBefore = Math.min(partition.notBefore, called);
            if (partition.readyFrom - returned > 0) {
                partition.readyFrom = returned;
            }
            partition.passedOver.clear();
            partition.why = "OBX-OPS-3";
        }
    }

    void sawBacklog(Collection<String> topics, List<Backlog> all) {
        List<Backlog> own =
                all.stream().filter(each -> topics.contains(each.topic())).toList();
        expect(
                "OBX-OPS-1",
                "the backlog",
                inOrder(partitions.values().stream()
                        .filter(each -> !each.pending.isEmpty())
                        .sorted(IN_ORDER)
                        .map(each -> each + " " + each.pending.size())),
                inOrder(own.stream().map(each -> each.topic() + "/" + each.partition() + " " + each.pending())));
        long most = System.nanoTime() - began + TimeUnit.SECONDS.toNanos(2);
        for (Backlog each : own) {
            if (each.oldestAge().isNegative() || each.oldestAge().toNanos() > most) {
                throw new Violation("OBX-OPS-1", "the oldest message cannot be of that age: " + each);
            }
        }
    }

    private static final Comparator<ModelPartition> IN_ORDER =
            Comparator.<ModelPartition, String>comparing(each -> each.topic).thenComparingInt(each -> each.number);

    void sawFailing(Collection<String> topics, List<FailingPartition> all) {
        List<FailingPartition> own =
                all.stream().filter(each -> topics.contains(each.topic())).toList();
        Set<String> sure = own.stream()
                .filter(each -> {
                    ModelPartition partition = partitions.get(each.topic() + "/" + each.partition());
                    return partition == null || partition.failing != Failing.MAYBE;
                })
                .map(each -> each.topic() + "/" + each.partition() + " " + each.messageId() + " " + each.attempts())
                .collect(Collectors.toCollection(LinkedHashSet::new));
        expect(
                "OBX-OPS-2",
                "failing partitions",
                inOrder(partitions.values().stream()
                        .filter(each -> each.failing == Failing.YES)
                        .sorted(IN_ORDER)
                        .map(each -> each + " " + describe(Objects.requireNonNull(each.failingMessage)))),
                inOrder(sure.stream()));
        for (FailingPartition each : own) {
            ModelMessage message = known(each.messageId());
            if (message.attempts != each.attempts()) {
                throw new Violation("OBX-OPS-2", message + " is listed with " + each.attempts() + " attempts");
            }
            if (message.partition.failing == Failing.YES) {
                expectReason("OBX-OPS-2", message, each.reason());
            }
        }
    }

    /** Where topics differ by case only, which of them comes first is up to the store. */
    private List<String> inOrder(Stream<String> lines) {
        long topics =
                partitions.values().stream().map(each -> each.topic).distinct().count();
        long names = partitions.values().stream()
                .map(each -> each.topic.toLowerCase(Locale.ROOT))
                .distinct()
                .count();
        return topics == names ? lines.toList() : lines.sorted().toList();
    }

    private static String describe(ModelMessage message) {
        return message.sent.id() + " " + message.attempts;
    }

    void sawDeadLetters(String topic, List<DeadLetter> listed) {
        List<ModelMessage> expected = dead(messages.values(), topic);
        Map<String, ModelMessage> byId =
                expected.stream().collect(Collectors.toMap(each -> each.sent.id(), each -> each));
        ModelMessage last = null;
        for (DeadLetter letter : listed) {
            ModelMessage message = byId.remove(letter.message().id());
            if (message == null) {
                throw new Violation(
                        "OBX-DEAD-2",
                        letter.message().id() + " is listed, which is no dead letter, or is listed twice");
            }
            checkLetter(message, letter);
            boolean wrong = last != null
                    && (last.died > message.died
                            || last.died == message.died
                                    && last.partition.equals(message.partition)
                                    && message.isSurelyBefore(last));
            if (wrong) {
                throw new Violation("OBX-DEAD-2", message + " is listed after " + last + ", which died later");
            }
            last = message;
        }
        if (!byId.isEmpty()) {
            throw new Violation(
                    "OBX-DEAD-2", "of " + expected.size() + " dead letters these are not listed: " + byId.values());
        }
    }

    private static void checkLetter(ModelMessage message, DeadLetter letter) {
        String difference = message.differenceTo(letter.message());
        if (difference != null) {
            throw new Violation("OBX-DEAD-2", "of the dead letter " + message + ", " + difference);
        }
        expect(
                "OBX-DEAD-2",
                "attempts of the dead letter " + message,
                message.attempts,
                letter.message().attempts());
        expectReason("OBX-DEAD-2", message, letter.reason());
    }

    /** What the contract lets a store change in a text is not compared. */
    private static void expectReason(String rule, ModelMessage message, String said) {
        if (message.reason.chars().allMatch(each -> each >= ' ' && each < 127)) {
            expect(rule, "the reason of " + message, message.reason, said);
        }
    }

    private static void expect(String rule, String what, Object expected, @Nullable Object seen) {
        if (!expected.equals(seen)) {
            throw new Violation(rule, what + ": expected " + shortened(expected) + ", and it was " + shortened(seen));
        }
    }

    private static String shortened(@Nullable Object value) {
        String text = String.valueOf(value);
        return text.length() <= 600 ? text : text.substring(0, 600) + "… (" + text.length() + " characters)";
    }

    // --- what is left

    /** How many messages are committed and not settled. */
    int pending() {
        return partitions.values().stream()
                .mapToInt(each -> each.pending.size())
                .sum();
    }

    /** Until when delays run that are no longer than this. */
    long delaysOverAt(long shortMillis) {
        long now = System.nanoTime();
        long most = later(now, shortMillis);
        return partitions.values().stream()
                .filter(each -> !each.pending.isEmpty())
                .map(each -> each.notBefore)
                .filter(until -> until - now > 0 && until - most <= 0)
                .reduce(now, Math::max);
    }

    /** Partitions that wait for longer than this. */
    List<ModelPartition> waiting(long shortMillis) {
        long most = later(System.nanoTime(), shortMillis);
        return partitions.values().stream()
                .filter(each -> !each.pending.isEmpty() && each.notBefore - most > 0)
                .toList();
    }
}
