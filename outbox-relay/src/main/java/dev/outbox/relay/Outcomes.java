package dev.outbox.relay;

import static dev.outbox.relay.RelayLog.LOG;

import dev.outbox.FailureKind;
import dev.outbox.MessageBatch;
import dev.outbox.OutboxException;
import dev.outbox.OutboxListener;
import dev.outbox.OutboxListener.Step;
import dev.outbox.PersistedMessage;
import dev.outbox.RetryPolicy;
import dev.outbox.StoreException;
import dev.outbox.internal.Causes;
import dev.outbox.relay.Unsettled.Entry;
import dev.outbox.relay.Unsettled.Kind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What became of the messages of one batch: marks them, tells listeners and the log, closes the batch, and has
 * remembered what could not be settled. Used by the thread of the round.
 */
final class Outcomes {

    /** Whom a failure speaks against. */
    enum Blame {
        /** Nobody, or the message alone. */
        NOBODY,
        /** Maybe the broker: if several messages in a row fail like this, it is. */
        MAYBE_BROKER,
        /** The broker, as the publisher says: it is away. */
        BROKER
    }

    private final Shared shared;
    private final WorkerRun run;
    private final List<Entry> entries = new ArrayList<>();

    int published;
    int failed;
    private int markedPublished;
    private int markedFailed;
    private int markedDead;

    /** Something was not done because memory was short. A pause may help. */
    boolean shortOfMemory;

    @Nullable
    OutboxException storeError;

    Outcomes(Shared shared, WorkerRun run) {
        this.shared = shared;
        this.run = run;
    }

    /** How many messages have an outcome, marked or not. */
    int count() {
        return entries.size();
    }

    /** The broker has taken the message. */
    void published(
            MessageBatch batch,
            PartitionQueue<?> queue,
            PersistedMessage message,
            @Nullable String publishId,
            long tookNanos) {
        published++;
        shared.listeners.published(message, publishId, tookNanos);
        mark(batch, message, new Entry(queue.partition, message, Kind.PUBLISHED, publishId, Duration.ZERO));
    }

    /** What became of the message in an earlier batch that could not be closed. */
    void remembered(MessageBatch batch, PartitionQueue<?> queue, PersistedMessage message, Entry entry) {
        if (entry.kind == Kind.PUBLISHED) {
            published++;
        } else {
            failed++;
            queue.stop();
        }
        entry.marked = false;
        mark(batch, message, entry);
    }

    /**
     * The message was not published. It has no outcome, so that no attempt is counted and it keeps its place, if that
     * was our own interrupt, a first lack of memory, or a broker that is away.
     */
    Blame failed(
            MessageBatch batch,
            PartitionQueue<?> queue,
            PersistedMessage message,
            Throwable failure,
            boolean decoded,
            long tookNanos) {
        queue.stop();
        if (run.isInterrupted()) {
            return Blame.NOBODY;
        }
        Throwable cause = Causes.unwrapped(failure);
        if (Causes.any(cause, each -> each instanceof OutOfMemoryError) && shared.forgives(message)) {
            shortOfMemory = true;
            return Blame.NOBODY;
        }
        String reason = decoded ? FailureText.of(cause) : "Undecodable: " + FailureText.of(cause);
        int attempt = message.attempts() + 1;
        RetryPolicy retry = queue.topic.retry();
        FailureKind kind = retry.kindOf(cause);
        if (kind == FailureKind.UNAVAILABLE) {
            return Blame.BROKER;
        }
        failed++;
        Blame blame = decoded && kind != FailureKind.PERMANENT ? Blame.MAYBE_BROKER : Blame.NOBODY;
        if (kind == FailureKind.PERMANENT || retry.givesUpAfter(attempt)) {
            giveUp(batch, queue, message, cause, reason, tookNanos);
            return blame;
        }
        Duration delay = retry.delayAfter(attempt);
        if (!mark(batch, message, new Entry(queue.partition, message, Kind.FAILED, reason, delay))) {
            return blame;
        }
        shared.sparing.warn(
                "[OUTBOX-103] Message {} of {}/{} failed at attempt {}; its partition waits {}: {}",
                message.id(),
                message.topic(),
                message.partition(),
                attempt,
                delay,
                reason);
        shared.listeners.failed(message, cause, reason, delay, tookNanos);
        return blame;
    }

    /**
     * The partition goes on without the message, but only from the next batch: if this one is not closed well, the
     * message comes again, and then nothing may have overtaken it.
     */
    private void giveUp(
            MessageBatch batch,
            PartitionQueue<?> queue,
            PersistedMessage message,
            Throwable cause,
            String reason,
            long tookNanos) {
        if (!mark(batch, message, new Entry(queue.partition, message, Kind.DEAD, reason, Duration.ZERO))) {
            return;
        }
        shared.sparing.warn(
                "[OUTBOX-104] Message {} of {}/{} is given up at attempt {} and becomes a dead letter: {}",
                message.id(),
                message.topic(),
                message.partition(),
                message.attempts() + 1,
                reason);
        shared.listeners.deadLettered(message, cause, reason, tookNanos);
    }

    private boolean mark(MessageBatch batch, PersistedMessage message, Entry entry) {
        entries.add(entry);
        if (storeError != null) {
            return false;
        }
        try {
            if (entry.kind == Kind.PUBLISHED) {
                batch.markPublished(message, entry.text);
                markedPublished++;
            } else if (entry.kind == Kind.FAILED) {
                batch.markFailed(message, entry.reason(), entry.delay);
                markedFailed++;
            } else {
                batch.deadLetter(message, entry.reason());
                markedDead++;
            }
            entry.marked = true;
            return true;
        } catch (Throwable e) {
            storeFailed(Step.MARK, e, System.nanoTime());
            return false;
        }
    }

    /** Closes the batch; what could not be settled is remembered before anything else is done about it. */
    void close(
            MessageBatch batch,
            Admission.Permit permit,
            int wanted,
            List<? extends PartitionQueue<?>> queues,
            int size) {
        long start = System.nanoTime();
        Throwable failure = null;
        ClosingPartitions.Close close = shared.closing.begin(entries);
        try {
            run.takeInterrupt();
            batch.close();
        } catch (Throwable e) {
            failure = e;
        } finally {
            shared.closing.end(close, failure, shared.unsettled, entries);
        }
        if (failure == null) {
            settled(size, start);
        } else {
            storeFailed(Step.CLOSE, failure, start);
        }
        OutboxException error = storeError;
        if (error != null) {
            Duration pause = shared.admission.failed(permit, queues, entries.size());
            if (pause != null) {
                setAside(queues.get(0).partition, pause, error);
            }
        } else if (entries.isEmpty()) {
            shared.admission.unproven(permit);
        } else {
            shared.admission.succeeded(permit, wanted, queues);
        }
    }

    private void settled(int size, long start) {
        int released = size - markedPublished - markedFailed - markedDead;
        shared.listeners.settled(new OutboxListener.Settled(
                markedPublished, markedFailed, markedDead, released, Listeners.since(start)));
    }

    private void setAside(Partition partition, Duration pause, OutboxException error) {
        shared.listeners.setAside(new OutboxListener.SetAside(partition.topic(), partition.number(), pause, error));
        try {
            // Not sparing: each has pauses of its own.
            LOG.warn(
                    "[OUTBOX-105] What became of a message of {}/{} cannot be written into the store, although the"
                            + " store takes that of other partitions. The partition is set aside and tried alone, with"
                            + " growing pauses of up to 5 minutes; Relay.state() tells how long",
                    partition.topic(),
                    partition.number(),
                    error);
        } catch (Throwable e) {
            // The state and the listeners have it.
        }
    }

    void storeFailed(Step step, Throwable failure, long start) {
        OutboxException error = failure instanceof OutboxException known
                ? known
                : new StoreException(
                        "The store failed unexpectedly at " + step + ": " + FailureText.of(failure), failure);
        if (storeError == null) {
            storeError = error;
        } else if (storeError != error) {
            storeError.addSuppressed(error);
        }
        shared.listeners.storeFailed(step, error, start);
    }
}
