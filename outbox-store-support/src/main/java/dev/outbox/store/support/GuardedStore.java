package dev.outbox.store.support;

import dev.outbox.Browsing;
import dev.outbox.Capability;
import dev.outbox.ConfigurationException;
import dev.outbox.DeadLetter;
import dev.outbox.Finding;
import dev.outbox.Holders;
import dev.outbox.MessageBatch;
import dev.outbox.MisuseException;
import dev.outbox.Operations;
import dev.outbox.OutgoingMessage;
import dev.outbox.Partitioner;
import dev.outbox.PendingMessage;
import dev.outbox.PersistedMessage;
import dev.outbox.Store;
import dev.outbox.WakeUps;
import dev.outbox.internal.Log;
import dev.outbox.internal.TopicNames;
import dev.outbox.spi.BatchOutcomes;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.BiConsumer;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * The gate of a store: refuses what the contract refuses, and everything once it is closed (OBX-LIFE-4, OBX-INPUT-2).
 */
public abstract class GuardedStore implements Store, Operations, Browsing, Finding, Holders, WakeUps {
    /** Dead letters that are put back or deleted in one step. */
    public static final int AT_A_TIME = 500;

    /** What a topic can have. */
    private static final int MOST_PARTITIONS = 10_000;

    private static final Log LOG = Log.of(GuardedStore.class);

    private final StoreOperations operations;
    private volatile boolean closed;

    /**
     * It is open.
     *
     * @param operations what answers to an operator
     */
    protected GuardedStore(StoreOperations operations) {
        this.operations = operations;
    }

    @Override
    public final MessageBatch checkout(Set<String> topics, int limit) {
        if (topics.isEmpty()) {
            throw new MisuseException("No topics given; expected at least one.");
        }
        requireAtLeastOne("limit", limit);
        requireOpen();
        return take(topics, limit);
    }

    /** As {@link #checkout}, which has looked at what is given. */
    protected abstract OutcomeBatch take(Set<String> topics, int limit);

    /** From now on everything is refused; true the first time. */
    protected final synchronized boolean markClosed() {
        boolean first = !closed;
        closed = true;
        return first;
    }

    /** Whether {@link #markClosed} was called. */
    protected final boolean isClosed() {
        return closed;
    }

    /** Throws if it is closed. What failed for no other reason is told so, too. */
    protected final void requireOpen() {
        if (closed) {
            throw new MisuseException("The store is closed: close the relays first, then their store.");
        }
    }

    @Override
    public final Subscription onWakeUp(Runnable listener) {
        requireOpen();
        return subscribe(listener);
    }

    /** As {@link #onWakeUp}, of an open store. */
    protected abstract Subscription subscribe(Runnable listener);

    @Override
    public final List<Backlog> backlog() {
        requireOpen();
        return operations.backlog();
    }

    @Override
    public final List<FailingPartition> failingPartitions() {
        requireOpen();
        return operations.failingPartitions();
    }

    @Override
    public final boolean retryNow(String topic, int partition) {
        requireOpen();
        // Here and below: a database may take another text for a topic's name, or refuse to compare with it.
        return TopicNames.isName(topic) && operations.retryNow(topic, partition);
    }

    @Override
    public final int retryNow(String topic) {
        requireOpen();
        return TopicNames.isName(topic) ? operations.retryNow(topic) : 0;
    }

    @Override
    public final int removePending(String topic, int limit) {
        return take(topic, limit, "removed", (outcomes, messages) -> messages.forEach(outcomes::removed));
    }

    @Override
    public final int movePending(String topic, String toTopic, int toPartitions, int limit) {
        new OutgoingMessage(toTopic, 0, null, Map.of(), new byte[0]); // refuses what is no name of a topic
        requireAtLeastOne("toPartitions", toPartitions);
        if (toPartitions > MOST_PARTITIONS) {
            throw new MisuseException(
                    "toPartitions is " + toPartitions + "; a topic has at most " + MOST_PARTITIONS + ".");
        }
        if (topic.equals(toTopic)) {
            throw new MisuseException(
                    "Messages of topic " + topic + " were to be moved to the same topic; expected another.");
        }
        return take(topic, limit, "moved to topic " + toTopic, (outcomes, messages) -> {
            int[] partitions = messages.stream()
                    .mapToInt(message -> partitionAfter(message, toPartitions))
                    .toArray(); // all of them first: if one is refused, none of the part is moved
            for (int i = 0; i < partitions.length; i++) {
                outcomes.moved(messages.get(i), toTopic, partitions[i]);
            }
        });
    }

    private int partitionAfter(PersistedMessage message, int partitions) {
        String key = message.key();
        int partition = key == null ? message.partition() % partitions : Partitioner.partitionOf(key, partitions);
        if (!isMovable(message.partition(), partition)) {
            throw new MisuseException("Message " + message.id() + " is in partition " + message.partition()
                    + " and would be in partition " + partition + " of " + partitions
                    + ". This outbox is spread, and the two have no transaction in common. Move the messages to a topic with"
                    + " as many partitions as theirs has. Messages that were written with another number are to be"
                    + " published or removed first.");
        }
        return partition;
    }

    /** Whether a message can be moved from one partition to another in one step. */
    protected boolean isMovable(int from, int to) {
        return true;
    }

    /**
     * Takes messages as a relay does, and so shares the promises that checkout and close make to relays: no message is
     * in another batch, the outcomes of a batch take effect in one step or not, and a death before that leaves all as
     * it was. A part is no larger than a batch may be.
     */
    private int take(String topic, int limit, String what, BiConsumer<BatchOutcomes, List<PersistedMessage>> mark) {
        requireAtLeastOne("limit", limit);
        requireOpen();
        if (!TopicNames.isName(topic)) {
            return 0;
        }
        operations.retryNow(topic);
        int done = 0;
        try {
            while (done < limit) {
                requireOpen();
                int taken;
                try (OutcomeBatch batch = take(Set.of(topic), Math.min(AT_A_TIME, limit - done))) {
                    taken = batch.messages().size();
                    mark.accept(batch.outcomes, batch.messages());
                }
                if (taken == 0) {
                    return done;
                }
                done += taken;
            }
            return done;
        } finally {
            if (done > 0) {
                LOG.info("[OUTBOX-011] By an operator, {} pending messages of topic {} were {}.", done, topic, what);
            }
        }
    }

    private static void requireAtLeastOne(String what, int number) {
        if (number < 1) {
            throw new MisuseException(what + " is " + number + "; expected at least 1.");
        }
    }

    @Override
    public final List<DeadLetterTopic> deadLetterTopics() {
        requireOpen();
        return operations.deadLetterTopics();
    }

    @Override
    public final List<DeadLetter> deadLetters(String topic, @Nullable String afterId, int limit) {
        requireOpen();
        if (TopicNames.isName(topic)) {
            return operations.deadLetters(topic, afterId, limit);
        }
        requireAtLeastOne("limit", limit);
        if (afterId != null) {
            throw new MisuseException("No topic can have the name that dead letters after " + afterId
                    + " were asked of. Start again at the first page.");
        }
        return List.of();
    }

    @Override
    public final Optional<DeadLetter> deadLetter(String id) {
        requireOpen();
        return operations.deadLetter(id);
    }

    @Override
    public final int redrive(Collection<String> ids) {
        requireOpen();
        return inParts(ids, operations::redrive);
    }

    @Override
    public final int discard(Collection<String> ids) {
        requireOpen();
        return inParts(ids, operations::discard);
    }

    @Override
    public final Page pending(String topic, @Nullable Integer partition, @Nullable String after, int limit) {
        require(Capability.BROWSING);
        requireAtLeastOne("limit", limit);
        requireOpen();
        Place place = Place.after(after);
        if (!TopicNames.isName(topic) || partition != null && partition < 0) {
            return new Page(List.of(), null); // no message has such a one
        }
        return new PageReader(operations, topic).read(partition, place, limit);
    }

    @Override
    public final Optional<PendingMessage> pending(String id) {
        require(Capability.FINDING);
        requireOpen();
        return operations.pending(id).map(message -> {
            SortedSet<Integer> partition = new TreeSet<>(Set.of(message.partition()));
            return PageReader.pending(
                    message,
                    operations.failingPartitions(message.topic(), partition).stream()
                            .filter(each -> each.partition() == message.partition())
                            .findFirst()
                            .orElse(null));
        });
    }

    @Override
    public final List<Holder> holders() {
        require(Capability.HOLDERS);
        requireOpen();
        return operations.holders();
    }

    private void require(Capability capability) {
        String reason = capabilities().reasonWithout(capability);
        if (reason != null) {
            throw new ConfigurationException("This store has no " + capability + ": " + reason + ".");
        }
    }

    /**
     * An operator may select everything there is. A script, a statement or a transaction that did it all would keep the
     * server from others, and one that is too large for it would fail every time. Each part is a step of its own: where
     * one fails, those before it are done, and the same call made again passes them over.
     */
    private int inParts(Collection<String> ids, ToIntFunction<List<String>> work) {
        List<String> all = List.copyOf(new LinkedHashSet<>(ids));
        int done = 0;
        for (int from = 0; from < all.size(); from += AT_A_TIME) {
            requireOpen();
            done += work.applyAsInt(all.subList(from, Math.min(all.size(), from + AT_A_TIME)));
        }
        return done;
    }
}
