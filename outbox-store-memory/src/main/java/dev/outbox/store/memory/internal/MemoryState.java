package dev.outbox.store.memory.internal;

import static java.util.Objects.requireNonNull;

import dev.outbox.Browsing.Page;
import dev.outbox.DeadLetter;
import dev.outbox.HoldLostException;
import dev.outbox.Holders.Holder;
import dev.outbox.MisuseException;
import dev.outbox.Operations.Backlog;
import dev.outbox.Operations.DeadLetterTopic;
import dev.outbox.Operations.FailingPartition;
import dev.outbox.OutgoingMessage;
import dev.outbox.Partitioner;
import dev.outbox.PendingMessage;
import dev.outbox.PersistedMessage;
import dev.outbox.Store;
import dev.outbox.spi.Outcome;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * An outbox in memory: the whole state machine of the contract under one lock, without clients or sockets. Safe for use
 * by several threads.
 *
 * <p>A message gets its position when it is persisted and is seen when its transaction commits, so a lower position
 * may appear after a higher one, as in a database. Nothing here remembers how far a partition was read, so such a
 * message is simply the next head of its partition (OBX-TX-4).
 */
public class MemoryState {
    /** A page ends with the message with which its payloads have this number of bytes (OBX-BROWSE-2). */
    private static final int PAGE_BYTES = 8 << 20;

    private final Instant startedAt = Instant.now();
    private final long startedNanos = System.nanoTime();
    private final SortedMap<PartitionName, Partition> partitions = new TreeMap<>();
    private final Map<String, DeadLetter> deadLetters = new LinkedHashMap<>();
    private final List<Runnable> wakeUps = new CopyOnWriteArrayList<>();
    private final @Nullable Duration lease;
    private long lastPosition;
    private long lastTurn;

    /** An empty outbox whose holds last as long as their client. */
    public MemoryState() {
        this.lease = null;
    }

    /** An empty outbox whose holds are leases. The client that has one renews it. */
    public MemoryState(Duration lease) {
        this.lease = lease;
    }

    public Optional<Duration> lease() {
        return Optional.ofNullable(lease);
    }

    /** A new client of this outbox. */
    public Store store() {
        return new MemoryStore(new LocalSession(this));
    }

    /** A new transaction on this outbox. */
    public Transaction begin() {
        return new LocalTransaction(this);
    }

    public record PartitionName(String topic, int number) implements Comparable<PartitionName> {
        private static final Comparator<PartitionName> ORDER =
                Comparator.comparing(PartitionName::topic).thenComparingInt(PartitionName::number);

        @Override
        public int compareTo(PartitionName other) {
            return ORDER.compare(this, other);
        }
    }

    /** The messages of a partition by position, and who may have them when. */
    public static final class Partition {
        public final PartitionName name;
        public final NavigableMap<Long, PersistedMessage> messages = new TreeMap<>();

        @Nullable
        public Hold holder;

        @Nullable
        public Failure failure;

        public long lastTurn;

        Partition(PartitionName name) {
            this.name = name;
        }
    }

    /** Why a partition waits, and until when. Kept until the message is settled. */
    public record Failure(long position, String reason, Instant nextAttempt) {}

    /** What an open batch has: partitions as a whole, and some of their messages. Nobody else gets either. */
    public static final class Hold {
        public final Map<Partition, List<Long>> positions = new LinkedHashMap<>();
        public final List<PersistedMessage> messages = new ArrayList<>();

        /** When it began. */
        public final Instant since;

        /** Until when nobody else may have them, if holds are leases: by {@link System#nanoTime}. */
        public long until;

        Hold(Instant since) {
            this.since = since;
        }
    }

    /** A message with its position, in a transaction that has not committed. */
    public record Written(long position, PersistedMessage message) {}

    // --- transactions

    public synchronized Written write(OutgoingMessage message) {
        long position = ++lastPosition;
        return new Written(
                position,
                new PersistedMessage(
                        message.id(),
                        message.topic(),
                        message.partition(),
                        message.key(),
                        message.headers(),
                        message.payload(),
                        0,
                        now()));
    }

    public void commit(List<Written> messages) {
        synchronized (this) {
            messages.forEach(this::add);
        }
        wakeUps.forEach(Runnable::run);
    }

    private void add(Written written) {
        PersistedMessage message = written.message();
        PartitionName name = new PartitionName(message.topic(), message.partition());
        partitions.computeIfAbsent(name, Partition::new).messages.put(written.position(), message);
    }

    // --- batches

    /** Takes ready partitions, those that waited longest first, and shares the limit out among them. */
    public synchronized Hold checkout(Set<String> topics, int limit) {
        Hold hold = new Hold(now());
        startLease(hold);
        Map<Partition, Iterator<Long>> heads = new LinkedHashMap<>();
        partitions.values().stream()
                .filter(p -> topics.contains(p.name.topic()) && isReady(p))
                .sorted(Comparator.comparingLong(p -> p.lastTurn))
                .limit(limit)
                .forEach(p -> heads.put(p, readable(p).iterator()));
        int left = limit;
        for (boolean more = true; more; ) {
            more = false;
            for (Map.Entry<Partition, Iterator<Long>> head : heads.entrySet()) {
                if (left > 0 && head.getValue().hasNext()) {
                    hold.positions
                            .computeIfAbsent(head.getKey(), p -> new ArrayList<>())
                            .add(head.getValue().next());
                    left--;
                    more = true;
                }
            }
        }
        hold.positions.forEach((partition, positions) -> {
            partition.holder = hold;
            partition.lastTurn = ++lastTurn;
            for (long position : positions) {
                PersistedMessage message = requireNonNull(partition.messages.get(position));
                // A new object each time, so that a mark with that of an earlier batch is refused (OBX-CLOSE-4).
                hold.messages.add(tried(message, message.attempts()));
            }
        });
        return hold;
    }

    public boolean isReady(Partition partition) {
        return (partition.holder == null || hasRunOut(partition.holder))
                && !partition.messages.isEmpty()
                && (partition.failure == null || !now().isBefore(partition.failure.nextAttempt()));
    }

    public boolean hasRunOut(Hold hold) {
        return lease != null && System.nanoTime() - hold.until > 0;
    }

    private void startLease(Hold hold) {
        if (lease != null) {
            hold.until = System.nanoTime() + lease.toNanos();
        }
    }

    /** Renews a lease, also one that has run out and was not taken over; false if another client has taken it over. */
    public synchronized boolean renew(Hold hold) {
        boolean held = isHeld(hold);
        if (held) {
            startLease(hold);
        }
        return held;
    }

    /** The positions of a partition in the order in which they are handed out. */
    public Collection<Long> readable(Partition partition) {
        return partition.messages.keySet();
    }

    /** Applies the outcomes of a batch and ends its hold, or changes nothing if the hold was lost. */
    public synchronized void settle(Hold hold, List<Outcome> outcomes) {
        if (!isHeld(hold)) {
            throw new HoldLostException(
                    "The batch has lost its hold: its client was closed, its connection broke,"
                            + " or its lease ran out and others have its partitions. Nothing took effect; its messages come again.");
        }
        // Of an id that is there twice, each message has an outcome of its own, or none.
        Map<String, Deque<Outcome>> byId = new HashMap<>();
        outcomes.forEach(outcome -> byId.computeIfAbsent(outcome.message().id(), id -> new ArrayDeque<>())
                .add(outcome));
        hold.positions.forEach((partition, positions) -> settle(partition, positions, byId));
        release(hold);
    }

    private void settle(Partition partition, List<Long> positions, Map<String, Deque<Outcome>> outcomes) {
        Failure failure = null;
        for (long position : positions) {
            PersistedMessage message = partition.messages.get(position);
            Deque<Outcome> left = message == null ? null : outcomes.get(message.id());
            Outcome outcome = left == null ? null : left.poll();
            if (message == null || outcome == null) {
                continue;
            }
            if (outcome instanceof Outcome.Failed failed) {
                partition.messages.put(position, tried(message, message.attempts() + 1));
                Instant nextAttempt = now().plus(failed.retryAfter());
                failure = failure == null
                        ? new Failure(position, failed.reason(), nextAttempt)
                        : new Failure(failure.position(), failure.reason(), later(failure.nextAttempt(), nextAttempt));
                continue;
            }
            if (outcome instanceof Outcome.DeadLettered dead) {
                PersistedMessage tried = tried(message, message.attempts() + 1);
                deadLetters.remove(message.id()); // of the same id, the last to die takes its place at the end
                deadLetters.put(message.id(), new DeadLetter(tried, dead.reason(), now()));
            }
            remove(partition, position);
            goOn(partition, position);
        }
        if (failure != null) {
            partition.failure = failure;
        }
    }

    /** If the message that failed has left, and the new head has failed too, that is the one that fails now. */
    private static void goOn(Partition partition, long left) {
        Failure failure = partition.failure;
        if (failure != null && failure.position() == left) {
            partition.failure = partition.messages.entrySet().stream()
                    .filter(each -> each.getKey() != left)
                    .findFirst()
                    .filter(head -> head.getValue().attempts() > 0)
                    .map(head -> new Failure(head.getKey(), failure.reason(), failure.nextAttempt()))
                    .orElse(null);
        }
    }

    /** Exactly this one: a lower position may have been committed meanwhile, which nobody has read. */
    public void remove(Partition partition, long position) {
        partition.messages.remove(position);
    }

    public synchronized boolean isHeld(Hold hold) {
        return hold.positions.keySet().stream().allMatch(partition -> partition.holder == hold);
    }

    /** Ends a hold; what was not settled is where it was. Doing it again does nothing. */
    public synchronized void release(Hold hold) {
        for (Partition partition : hold.positions.keySet()) {
            if (partition.holder == hold) {
                partition.holder = null;
            }
        }
    }

    // --- operations

    public synchronized List<Backlog> backlog() {
        Instant now = now();
        List<Backlog> backlog = new ArrayList<>();
        for (Partition partition : partitions.values()) {
            partition.messages.values().stream()
                    .findFirst()
                    .map(PersistedMessage::createdAt)
                    .ifPresent(first -> backlog.add(new Backlog(
                            partition.name.topic(),
                            partition.name.number(),
                            partition.messages.size(),
                            Duration.between(first, now))));
        }
        return backlog;
    }

    public synchronized List<FailingPartition> failingPartitions() {
        List<FailingPartition> failing = new ArrayList<>();
        for (Partition partition : partitions.values()) {
            Failure failure = partition.failure;
            PersistedMessage message = failure == null ? null : partition.messages.get(failure.position());
            if (failure != null && message != null) {
                failing.add(new FailingPartition(
                        message.topic(),
                        message.partition(),
                        message.id(),
                        message.attempts(),
                        failure.reason(),
                        failure.nextAttempt()));
            }
        }
        return failing;
    }

    public synchronized boolean retryNow(String topic, int number) {
        Partition partition = partitions.get(new PartitionName(topic, number));
        if (partition == null || partition.failure == null) {
            return false;
        }
        Failure failure = partition.failure;
        partition.failure = new Failure(failure.position(), failure.reason(), earlier(failure.nextAttempt(), now()));
        wakeUps.forEach(Runnable::run);
        return true;
    }

    public synchronized int retryNow(String topic) {
        int failing = 0;
        for (PartitionName name : List.copyOf(partitions.keySet())) {
            if (name.topic().equals(topic) && retryNow(topic, name.number())) {
                failing++;
            }
        }
        return failing;
    }

    public synchronized int removePending(String topic, int limit) {
        return takePending(topic, limit).size();
    }

    public int movePending(String topic, String toTopic, int toPartitions, int limit) {
        List<Written> moved = new ArrayList<>();
        synchronized (this) {
            for (PersistedMessage m : takePending(topic, limit)) {
                int partition = m.key() == null
                        ? m.partition() % toPartitions
                        : Partitioner.partitionOf(requireNonNull(m.key()), toPartitions);
                moved.add(new Written(
                        ++lastPosition,
                        new PersistedMessage(
                                m.id(), toTopic, partition, m.key(), m.headers(), m.payload(), 0, m.createdAt())));
            }
            moved.forEach(this::add);
        }
        wakeUps.forEach(Runnable::run);
        return moved.size();
    }

    /** Takes messages of partitions that no batch holds out of the outbox, delayed or not. */
    private List<PersistedMessage> takePending(String topic, int limit) {
        List<PersistedMessage> taken = new ArrayList<>();
        retryNow(topic);
        for (Partition partition : partitions.values()) {
            if (partition.name.topic().equals(topic) && isReady(partition)) {
                partition.holder = null; // as a checkout would: a batch whose lease has run out has lost it
                for (long position : List.copyOf(readable(partition))) {
                    if (taken.size() == limit) {
                        return taken;
                    }
                    taken.add(requireNonNull(partition.messages.get(position)));
                    remove(partition, position);
                    goOn(partition, position);
                }
            }
        }
        return taken;
    }

    public synchronized List<DeadLetterTopic> deadLetterTopics() {
        Map<String, DeadLetterTopic> topics = new TreeMap<>();
        for (DeadLetter letter : deadLetters.values()) { // those that died first come first
            topics.merge(
                    letter.message().topic(),
                    new DeadLetterTopic(letter.message().topic(), 1, letter.diedAt(), letter.diedAt()),
                    (all, one) -> new DeadLetterTopic(
                            all.topic(), all.deadLetters() + 1, all.firstDiedAt(), one.lastDiedAt()));
        }
        return List.copyOf(topics.values());
    }

    public synchronized List<DeadLetter> deadLetters(String topic, @Nullable String afterId, int limit) {
        List<DeadLetter> page = new ArrayList<>();
        boolean reached = afterId == null;
        for (DeadLetter letter : deadLetters.values()) {
            if (!letter.message().topic().equals(topic)) {
                continue;
            }
            if (reached && page.size() < limit) {
                page.add(letter);
            }
            reached |= letter.message().id().equals(afterId);
        }
        if (!reached) {
            throw new MisuseException("There is no dead letter " + afterId + " of topic " + topic
                    + " any more to start after; expected the id of one, or null for the first page.");
        }
        return page;
    }

    public synchronized Optional<DeadLetter> deadLetter(String id) {
        return Optional.ofNullable(deadLetters.get(id));
    }

    public int redrive(Collection<String> ids) {
        List<Written> revived = new ArrayList<>();
        synchronized (this) {
            for (String id : ids) {
                DeadLetter letter = deadLetters.remove(id);
                if (letter != null) {
                    revived.add(new Written(++lastPosition, tried(letter.message(), 0)));
                }
            }
            revived.forEach(this::add);
        }
        wakeUps.forEach(Runnable::run);
        return revived.size();
    }

    public synchronized int discard(Collection<String> ids) {
        int before = deadLetters.size();
        deadLetters.keySet().removeAll(new HashSet<>(ids));
        return before - deadLetters.size();
    }

    // --- looking

    /** A place in the order of pages: between a message, which may have gone, and the next. */
    private record Place(long partition, long position) {
        private static final Pattern TEXT = Pattern.compile("([0-9]{1,10})\\.([0-9]{1,18})");
        private static final Place START = new Place(0, 0);

        static Place after(@Nullable String page) {
            if (page == null) {
                return START;
            }
            Matcher text = TEXT.matcher(page);
            if (!text.matches()) {
                throw new MisuseException(
                        "There is no page after '" + page + "'; expected what a page had as next, or null.");
            }
            return new Place(Long.parseLong(text.group(1)), Long.parseLong(text.group(2)));
        }

        @Override
        public String toString() {
            return partition + "." + position;
        }
    }

    public synchronized Page pending(String topic, @Nullable Integer number, @Nullable String after, int limit) {
        Place last = Place.after(after);
        List<PendingMessage> page = new ArrayList<>();
        long bytes = 0;
        for (Partition partition : partitions.values()) { // in their order
            int here = partition.name.number();
            if (!partition.name.topic().equals(topic) || here < last.partition() || number != null && here != number) {
                continue;
            }
            long passed = here == last.partition() ? last.position() : 0;
            for (long position : partition.messages.tailMap(passed, false).keySet()) {
                if (page.size() == limit || bytes >= PAGE_BYTES) {
                    return new Page(List.copyOf(page), last.toString());
                }
                PendingMessage message = pending(partition, position);
                page.add(message);
                bytes += message.message().payload().length;
                last = new Place(here, position);
            }
        }
        return new Page(List.copyOf(page), null);
    }

    public synchronized Optional<PendingMessage> pending(String id) {
        for (Partition partition : partitions.values()) {
            for (Map.Entry<Long, PersistedMessage> each : partition.messages.entrySet()) {
                if (each.getValue().id().equals(id)) {
                    return Optional.of(pending(partition, each.getKey()));
                }
            }
        }
        return Optional.empty();
    }

    private static PendingMessage pending(Partition partition, long position) {
        PersistedMessage message = requireNonNull(partition.messages.get(position));
        Failure failure = partition.failure;
        return failure == null
                ? new PendingMessage(message, null, null)
                : new PendingMessage(
                        message, failure.position() == position ? failure.reason() : null, failure.nextAttempt());
    }

    public synchronized List<Holder> holders() {
        List<Holder> holders = new ArrayList<>();
        for (Partition partition : partitions.values()) {
            Hold hold = partition.holder;
            if (hold != null && !hasRunOut(hold)) {
                holders.add(new Holder(
                        partition.name.topic(),
                        partition.name.number(),
                        "process " + ProcessHandle.current().pid(),
                        hold.since,
                        lease == null ? null : now().plusNanos(hold.until - System.nanoTime())));
            }
        }
        return holders;
    }

    // --- wake-ups

    /** Calls the listener after every commit, on the committing thread, under no promise to be quick. */
    public void addWakeUp(Runnable wakeUp) {
        wakeUps.add(wakeUp);
    }

    public void removeWakeUp(Runnable wakeUp) {
        wakeUps.remove(wakeUp);
    }

    // --- copies

    /** Takes over what is in another outbox. Holds of this outbox end; its clients and subscriptions stay. */
    public synchronized void become(MemoryState other) {
        synchronized (other) {
            partitions.clear();
            other.partitions.forEach((name, theirs) -> {
                Partition copy = new Partition(name);
                copy.messages.putAll(theirs.messages);
                copy.failure = theirs.failure;
                copy.lastTurn = theirs.lastTurn;
                partitions.put(name, copy);
            });
            deadLetters.clear();
            deadLetters.putAll(other.deadLetters);
            lastPosition = other.lastPosition;
            lastTurn = other.lastTurn;
        }
    }

    // --- time and values

    /** The store's clock, which never goes back, whatever happens to the machine's. */
    public Instant now() {
        return startedAt.plusNanos(System.nanoTime() - startedNanos);
    }

    private static Instant later(Instant a, Instant b) {
        return a.isAfter(b) ? a : b;
    }

    private static Instant earlier(Instant a, Instant b) {
        return a.isBefore(b) ? a : b;
    }

    private static PersistedMessage tried(PersistedMessage m, int attempts) {
        return new PersistedMessage(
                m.id(), m.topic(), m.partition(), m.key(), m.headers(), m.payload(), attempts, m.createdAt());
    }
}
