package dev.outbox.tck.internal.explore;

import dev.outbox.DeadLetter;
import dev.outbox.Operations.Backlog;
import dev.outbox.Operations.DeadLetterTopic;
import dev.outbox.Operations.FailingPartition;
import dev.outbox.OutgoingMessage;
import dev.outbox.Partitioner;
import dev.outbox.PersistedMessage;
import dev.outbox.tck.internal.explore.ModelBatch.Mark;
import dev.outbox.tck.internal.explore.ModelBatch.Outcome;
import dev.outbox.tck.internal.explore.ModelMessage.State;
import dev.outbox.tck.internal.explore.ModelPartition.Failing;
import java.time.Instant;
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
import java.util.Optional;
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

    /** What is told from now on happened later than what was told before, or at the same time as each other. */
    void tick() {
        clock++;
    }

    /**
     * A message was written.
     *
     * @param serial its place in the transaction
     * @param alone whether no other was written at the same time
     */
    void wrote(Object transaction, OutgoingMessage message, int serial, boolean alone) {
        ModelPartition partition = partition(message.topic(), message.partition());
        ModelMessage written = new ModelMessage(message, partition, transaction, serial, alone ? ++clock : clock);
        messages.put(message.id(), written);
        largest = Math.max(largest, written.bytes);
    }

    void committed(List<OutgoingMessage> written) {
        clock++;
        for (OutgoingMessage each : written) {
            ModelMessage message = known(each.id());
            becomesPending(message);
            message.mayBeMissingUntil = System.nanoTime(); // by a checkout that was called meanwhile
        }
        noteLate(written);
    }

    /** Notes which of the messages that were committed have a position that others of their partition have passed. */
    void noteLate(List<OutgoingMessage> committed) {
        long until = System.nanoTime() + SECONDS;
        for (OutgoingMessage each : committed) {
            ModelMessage message = known(each.id());
            ModelPartition partition = message.partition;
            if (message.state == State.PENDING && !message.seen && partition.handedOut >= message.written) {
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

    private ModelPartition partition(String topic, int number) {
        return partitions.computeIfAbsent(topic + "/" + number, name -> new ModelPartition(topic, number));
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
     * @param alone whether nothing else was done at the same time that may have kept partitions from it
     * @param called when the checkout was called
     * @param returned when it had returned
     */
    ModelBatch checkedOut(
            String client,
            Set<String> topics,
            int limit,
            List<PersistedMessage> batch,
            boolean alone,
            long called,
            long returned) {
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
        if (alone) {
            checkRoom(asker, topics, limit, byPartition, all, called);
        } else {
            noteCompany(topics, returned);
        }
        ModelBatch held = ModelBatch.of(asker, came, byPartition);
        hold(held);
        return held;
    }

    /** Checkouts that met each other may have kept partitions from each other that neither of them has now. */
    private void noteCompany(Set<String> topics, long returned) {
        for (ModelPartition each : partitions.values()) {
            if (topics.contains(each.topic) && each.holder == null) {
                each.lastAsker = "company";
                each.releasedAt = returned;
                each.passedOver.clear();
            }
        }
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
            case REMOVED -> throw new Violation("OBX-OPS-5", message + " came, which was removed");
            case PENDING -> {}
        }
        String difference = message.differenceTo(came);
        if (difference != null) {
            throw new Violation("OBX-PAYLOAD-1", message + " came, and " + difference);
        }
        checkTime(message, came);
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

    private static void checkTime(ModelMessage message, PersistedMessage came) {
        String change = message.changeOfTime(came);
        if (change != null) {
            throw new Violation("OBX-PAYLOAD-3", message + " came again, and " + change);
        }
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
                        each.redriven || wrong.redriven
                                ? "OBX-DEAD-3"
                                : each.moved || wrong.moved ? "OBX-OPS-6" : "OBX-ORDER-1",
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
                            after.redriven
                                    ? "OBX-DEAD-3"
                                    : after.moved ? "OBX-OPS-6" : late ? "OBX-ORDER-4" : "OBX-ORDER-1",
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
        if (missing.moved && !missing.seen) {
            return "OBX-OPS-6";
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
            partition.isReasonOfMessage = head;
        } else if (partition.pending.stream().noneMatch(message -> message.attempts > 0)) {
            partition.failing = Failing.NO;
            partition.failingMessage = null;
        } else if (partition.failing == Failing.YES
                && partition.failingMessage != null
                && partition.failingMessage.state != State.PENDING) {
            nextFails(partition, sure);
        }
    }

    /** The message that failed is gone, and a later one has failed too. If that is the head now, it is listed. */
    private static void nextFails(ModelPartition partition, boolean sure) {
        Set<ModelMessage> first = partition.first(1);
        ModelMessage head = sure && first != null ? first.iterator().next() : null;
        boolean hasFailed = head != null && head.attempts > 0;
        partition.failing = hasFailed ? Failing.YES : Failing.MAYBE;
        partition.failingMessage = hasFailed ? head : null;
        partition.isReasonOfMessage = false; // a store need not know more than the reason of the partition
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

    void redriven(List<String> ids, int said, boolean inOrder) {
        expect("OBX-DEAD-3", "dead letters that were redriven", ids.size(), said);
        long written = ++clock;
        clock++;
        Object group = new Object();
        int serial = 0;
        for (String id : ids) {
            ModelMessage message = known(id);
            message.group = inOrder ? group : new Object();
            message.serial = serial++;
            message.written = written;
            message.attempts = 0;
            message.redriven = true;
            message.moved = false;
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
            delayMayEnd(partition, called);
            delayEnded(partition, returned);
        }
    }

    private static void delayMayEnd(ModelPartition partition, long called) {
        if (partition.notBefore - called > 0) {
            partition.notBefore = called;
        }
    }

    private static void delayEnded(ModelPartition partition, long returned) {
        if (partition.readyFrom - returned > 0) {
            partition.readyFrom = returned;
        }
        partition.passedOver.clear();
        partition.why = "OBX-OPS-3";
    }

    /** The delays of all partitions of a topic were ended. */
    void retriedNow(String topic, int said, long called, long returned) {
        List<ModelPartition> sure = failing(topic, Failing.YES);
        List<ModelPartition> maybe = failing(topic, Failing.MAYBE);
        if (said < sure.size() || said > sure.size() + maybe.size()) {
            throw new Violation(
                    "OBX-OPS-3",
                    "retryNow of " + topic + " returned " + said + ", where " + sure.size() + " partitions fail"
                            + (maybe.isEmpty() ? "" : ", and maybe " + maybe.size() + " more"));
        }
        endDelays(topic, called, returned);
    }

    private List<ModelPartition> failing(String topic, Failing failing) {
        return partitions.values().stream()
                .filter(each -> each.topic.equals(topic) && each.failing == failing)
                .toList();
    }

    private void endDelays(String topic, long called, long returned) {
        failing(topic, Failing.MAYBE).forEach(each -> delayMayEnd(each, called));
        for (ModelPartition each : failing(topic, Failing.YES)) {
            delayMayEnd(each, called);
            delayEnded(each, returned);
        }
    }

    // --- removing and moving

    /**
     * Where messages went.
     *
     * @param topic to which they were moved, and the number of its partitions
     */
    record Destination(String topic, int partitions) {}

    /**
     * Messages of a topic were removed, or moved.
     *
     * @param to where to, or null if they were removed
     * @param isFull whether the limit was reached
     * @param said how many they were, or null if the store refused to go on
     * @param after the backlog, which says what is left of each partition
     * @return whether it is known which they were; otherwise the rest of the topic has to go too
     */
    boolean taken(
            String topic,
            @Nullable Destination to,
            boolean isFull,
            @Nullable Integer said,
            List<Backlog> after,
            long called,
            long returned) {
        String rule = to == null ? "OBX-OPS-5" : "OBX-OPS-6";
        Map<ModelPartition, Set<ModelMessage>> taken = new LinkedHashMap<>();
        endDelays(topic, called, returned);
        boolean known = true;
        int sum = 0;
        for (ModelPartition partition : of(topic)) {
            long left = waiting(after, topic, partition.number);
            int count = Math.toIntExact(partition.pending.size() - left);
            if (count < 0 || count > 0 && partition.holder != null) {
                throw new Violation(
                        rule,
                        partition + " had " + partition.pending.size() + " messages and now has " + left
                                + (partition.holder == null ? "" : ", and an open batch holds it"));
            }
            sum += count;
            Set<ModelMessage> first = partition.first(count);
            known &= first != null;
            taken.put(partition, first == null ? Set.of() : first);
        }
        if (said != null) {
            expect(rule, "how many messages went from " + topic, sum, said);
            if (!isFull) {
                checkNoneIsLeft(rule, taken, called);
            }
        }
        if (known) {
            clock++; // the same for all: those of different partitions may come in any order
            taken.forEach((partition, own) -> take(partition, own, to, called, returned));
            of(topic).forEach(each -> noteOperator(each, returned));
            of(to == null ? topic : to.topic()).forEach(each -> noteOperator(each, returned));
            if (to != null) {
                checkArrival(to, after);
            }
        }
        return known;
    }

    /** The store may have held the partition as a batch does, and keep it for the next checkout of that client. */
    private static void noteOperator(ModelPartition partition, long returned) {
        if (partition.holder == null) {
            partition.lastAsker = "an operator";
            partition.releasedAt = returned;
        }
    }

    /** From when on no client may keep a partition of a topic to itself. */
    long freeForAll(String topic) {
        return of(topic).stream().map(ModelPartition::keptUntil).reduce(System.nanoTime(), Math::max);
    }

    private List<ModelPartition> of(String topic) {
        return partitions.values().stream()
                .filter(each -> each.topic.equals(topic))
                .toList();
    }

    private static long waiting(List<Backlog> backlog, String topic, int partition) {
        return backlog.stream()
                .filter(each -> each.topic().equals(topic) && each.partition() == partition)
                .mapToLong(Backlog::pending)
                .sum();
    }

    private static void checkNoneIsLeft(String rule, Map<ModelPartition, Set<ModelMessage>> taken, long called) {
        taken.forEach((partition, own) -> {
            boolean free = partition.holder == null
                    && called - partition.mayBeHeldUntil >= 0
                    && !partition.mayBeKeptFrom("", called);
            for (ModelMessage each : free ? partition.pending : List.<ModelMessage>of()) {
                if (!own.contains(each) && each.isDue(called)) {
                    throw Violation.missing(rule, each + " is left, although the limit was not reached");
                }
            }
        });
    }

    private void take(
            ModelPartition partition, Set<ModelMessage> own, @Nullable Destination to, long called, long returned) {
        if (own.isEmpty()) {
            return;
        }
        boolean inOrder = partition.isInOrder(own);
        partition.pending.removeAll(own);
        partition.inOrder.removeAll(own);
        if (own.contains(partition.failingMessage)) {
            partition.failing = Failing.MAYBE; // a later one has failed too
            partition.failingMessage = null;
        }
        noteFailing(partition, partition.pending, List.of());
        delayMayEnd(partition, called);
        delayEnded(partition, returned);
        if (to == null) {
            own.forEach(each -> each.state = State.REMOVED);
            return;
        }
        Object group = new Object();
        int serial = 0;
        for (ModelMessage each : own) {
            String key = each.sent.key();
            int number =
                    key == null ? partition.number % to.partitions() : Partitioner.partitionOf(key, to.partitions());
            each.partition = partition(to.topic(), number);
            each.group = inOrder ? group : new Object();
            each.serial = serial++;
            each.written = clock;
            each.attempts = 0;
            each.moved = true;
            each.redriven = false;
            each.seen = false;
            each.late = false;
            each.createdAt = null;
            each.mayBeMissingUntil = returned;
        }
        own.forEach(this::becomesPending);
    }

    private void checkArrival(Destination to, List<Backlog> after) {
        for (ModelPartition each : of(to.topic())) {
            expect(
                    "OBX-OPS-6",
                    "messages of " + each + " after a move to it",
                    (long) each.pending.size(),
                    waiting(after, to.topic(), each.number));
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
            if (message.partition.failing == Failing.YES && message.partition.isReasonOfMessage) {
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

    /** The topics with dead letters, after each of them was read. */
    void sawDeadLetterTopics(Map<String, List<DeadLetter>> listed, List<DeadLetterTopic> all) {
        List<DeadLetterTopic> own =
                all.stream().filter(each -> listed.containsKey(each.topic())).toList();
        expect(
                "OBX-OPS-4",
                "topics with dead letters",
                inOrder(listed.entrySet().stream()
                        .filter(each -> !each.getValue().isEmpty())
                        .sorted(Map.Entry.comparingByKey())
                        .map(each -> each.getKey() + " " + each.getValue().size())),
                inOrder(own.stream().map(each -> each.topic() + " " + each.deadLetters())));
        for (DeadLetterTopic each : own) {
            List<Instant> died = Objects.requireNonNull(listed.get(each.topic())).stream()
                    .map(DeadLetter::diedAt)
                    .sorted()
                    .toList();
            expect("OBX-OPS-4", "when the first of " + each + " died", died.get(0), each.firstDiedAt());
            expect("OBX-OPS-4", "when the last of " + each + " died", died.get(died.size() - 1), each.lastDiedAt());
        }
    }

    /** One dead letter was read by its id. */
    void sawDeadLetter(DeadLetter listed, Optional<DeadLetter> one) {
        ModelMessage message = known(listed.message().id());
        if (one.isEmpty()) {
            throw new Violation("OBX-DEAD-2", message + " is listed as a dead letter and not found by its id");
        }
        checkLetter(message, one.get());
        expect(
                "OBX-DEAD-2",
                "when " + message + " died",
                listed.diedAt(),
                one.get().diedAt());
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
        checkTime(message, letter.message());
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
