package dev.outbox.store.support;

import dev.outbox.DeadLetter;
import dev.outbox.MessageBatch;
import dev.outbox.MisuseException;
import dev.outbox.Operations;
import dev.outbox.Store;
import dev.outbox.WakeUps;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.ToIntFunction;
import org.jspecify.annotations.Nullable;

/**
 * The gate of a store: refuses what the contract refuses, and everything once it is closed (OBX-LIFE-4, OBX-INPUT-2).
 */
public abstract class GuardedStore implements Store, Operations, WakeUps {
    /** Dead letters that are put back or deleted in one step. */
    public static final int AT_A_TIME = 500;

    private final Operations operations;
    private volatile boolean closed;

    /**
     * It is open.
     *
     * @param operations what answers to an operator
     */
    protected GuardedStore(Operations operations) {
        this.operations = operations;
    }

    @Override
    public final MessageBatch checkout(Set<String> topics, int limit) {
        if (topics.isEmpty()) {
            throw new MisuseException("No topics given; expected at least one.");
        }
        if (limit < 1) {
            throw new MisuseException("limit is " + limit + "; expected at least 1.");
        }
        requireOpen();
        return take(topics, limit);
    }

    /** As {@link #checkout}, which has looked at what is given. */
    protected abstract MessageBatch take(Set<String> topics, int limit);

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
        return operations.retryNow(topic, partition);
    }

    @Override
    public final int retryNow(String topic) {
        requireOpen();
        return operations.retryNow(topic);
    }

    @Override
    public final List<DeadLetterTopic> deadLetterTopics() {
        requireOpen();
        return operations.deadLetterTopics();
    }

    @Override
    public final List<DeadLetter> deadLetters(String topic, @Nullable String afterId, int limit) {
        requireOpen();
        return operations.deadLetters(topic, afterId, limit);
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

    /**
     * An operator may select everything there is. A script, a statement or a transaction that did it all would keep the
     * server from others, and one that is too large for it would fail every time. Each part is a step of its own: where one
     * fails, those before it are done, and the same call made again passes them over.
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
