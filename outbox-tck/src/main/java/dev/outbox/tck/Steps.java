package dev.outbox.tck;

import dev.outbox.tck.internal.explore.Exploration;
import dev.outbox.tck.internal.explore.Step;
import dev.outbox.tck.internal.explore.Target;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * A sequence of operations on a store, whose every answer is compared with what the contract allows. Transactions,
 * batches, clients and topics are numbers, from 1 on; a partition is one from 0 on. A step whose transaction or batch
 * is not open does nothing. Not safe for use by several threads.
 */
public final class Steps {
    private final Target target;
    private final Duration lease;
    private final List<Step> steps = new ArrayList<>();

    /**
     * No steps yet.
     *
     * @param lease how long a hold may outlive its client; zero if it does not
     */
    Steps(Target target, Duration lease) {
        this.target = target;
        this.lease = lease;
    }

    /** Begins a transaction of the application. */
    public Steps begin(int transaction) {
        return add(Step.Kind.BEGIN, transaction);
    }

    /**
     * Writes {@code each} messages of {@code bytes} into each of {@code partitions} partitions, from {@code
     * partition} on, one call a message.
     */
    public Steps write(int transaction, int topic, int partition, int partitions, int each, int bytes) {
        return add(Step.Kind.WRITE, transaction, topic, partition, partitions, each, bytes);
    }

    /** As {@link #write}, by one call. */
    public Steps writeTogether(int transaction, int topic, int partition, int partitions, int each, int bytes) {
        return add(Step.Kind.WRITE_TOGETHER, transaction, topic, partition, partitions, each, bytes);
    }

    /** Sets a savepoint, in place of the last one of the transaction, if the harness has savepoints. */
    public Steps savepoint(int transaction) {
        return add(Step.Kind.SAVEPOINT, transaction);
    }

    /** Rolls back to the last savepoint of the transaction, which stays open. */
    public Steps rollBackToSavepoint(int transaction) {
        return add(Step.Kind.ROLL_BACK_TO_SAVEPOINT, transaction);
    }

    /** Commits. */
    public Steps commit(int transaction) {
        return add(Step.Kind.COMMIT, transaction);
    }

    /** Rolls back. */
    public Steps rollBack(int transaction) {
        return add(Step.Kind.ROLL_BACK, transaction);
    }

    /** Checks out from {@code topics} topics, from {@code topic} on. */
    public Steps checkOut(int client, int batch, int topic, int topics, int limit) {
        return add(Step.Kind.CHECK_OUT, client, batch, topic, topics, limit);
    }

    /**
     * Marks messages of a batch published: {@code count} of them, from index {@code from} on, with steps of {@code
     * every}.
     */
    public Steps publish(int batch, int from, int count, int every) {
        return add(Step.Kind.PUBLISH, batch, from, count, every);
    }

    /** Marks messages failed, chosen as by {@link #publish}. */
    public Steps fail(int batch, int from, int count, int every, long delayMillis) {
        return add(Step.Kind.FAIL, batch, from, count, every, delayMillis);
    }

    /** Makes messages dead letters, chosen as by {@link #publish}. */
    public Steps bury(int batch, int from, int count, int every) {
        return add(Step.Kind.BURY, batch, from, count, every);
    }

    /**
     * Marks published, in {@code partitions} of the partitions of the batch, without the first {@code from}, the
     * first {@code each} that have no outcome.
     */
    public Steps publishHeads(int batch, int from, int partitions, int each) {
        return add(Step.Kind.PUBLISH_HEADS, batch, from, partitions, each);
    }

    /** Marks messages failed, chosen as by {@link #publishHeads}. */
    public Steps failHeads(int batch, int from, int partitions, int each, long delayMillis) {
        return add(Step.Kind.FAIL_HEADS, batch, from, partitions, each, delayMillis);
    }

    /** Makes messages dead letters, chosen as by {@link #publishHeads}. */
    public Steps buryHeads(int batch, int from, int partitions, int each) {
        return add(Step.Kind.BURY_HEADS, batch, from, partitions, each);
    }

    /** Closes a batch. */
    public Steps close(int batch) {
        return add(Step.Kind.CLOSE, batch);
    }

    /** Marks a message twice, closes the batch, marks again and closes again. */
    public Steps misuse(int batch) {
        return add(Step.Kind.MISUSE, batch);
    }

    /** Closes the last batch of this number that was closed again, which changes nothing. */
    public Steps closeAgain(int batch) {
        return add(Step.Kind.CLOSE_AGAIN, batch);
    }

    /** Ends the delay of a partition. */
    public Steps retryNow(int client, int topic, int partition) {
        return add(Step.Kind.RETRY_NOW, client, topic, partition);
    }

    /** Ends the delays of all partitions of a topic. */
    public Steps retryTopicNow(int client, int topic) {
        return add(Step.Kind.RETRY_TOPIC_NOW, client, topic);
    }

    /** Deletes messages of a topic that are waiting. */
    public Steps removePending(int client, int topic, int limit) {
        return add(Step.Kind.REMOVE_PENDING, client, topic, limit);
    }

    /** Moves messages of a topic that are waiting to another topic. */
    public Steps movePending(int client, int topic, int toTopic, int toPartitions, int limit) {
        return add(Step.Kind.MOVE_PENDING, client, topic, toTopic, toPartitions, limit);
    }

    /** Puts dead letters back, in the order in which they died, without the first {@code from}. */
    public Steps redrive(int client, int topic, int from, int count) {
        return add(Step.Kind.REDRIVE, client, topic, from, count);
    }

    /** As {@link #redrive}, the last first. */
    public Steps redriveBackwards(int client, int topic, int from, int count) {
        return add(Step.Kind.REDRIVE_BACKWARDS, client, topic, from, count);
    }

    /** Puts dead letters of {@code topics} topics back by one call, one topic after the other in turn. */
    public Steps redriveAcross(int client, int topic, int topics, int count) {
        return add(Step.Kind.REDRIVE_ACROSS, client, topic, topics, count);
    }

    /** Deletes dead letters, chosen as by {@link #redriveAcross}. */
    public Steps discardAcross(int client, int topic, int topics, int count) {
        return add(Step.Kind.DISCARD_ACROSS, client, topic, topics, count);
    }

    /** Deletes dead letters, chosen as by {@link #redrive}. */
    public Steps discard(int client, int topic, int from, int count) {
        return add(Step.Kind.DISCARD, client, topic, from, count);
    }

    /** Looks at the backlog, at failing partitions and at dead letters, page by page. */
    public Steps look(int client, int page) {
        return add(Step.Kind.LOOK, client, page);
    }

    /** Waits until delays of up to a tenth of a second are over. */
    public Steps awaitDelays() {
        return add(Step.Kind.AWAIT_DELAYS);
    }

    /** Waits, so that a store has time to look for partitions. */
    public Steps rest(int millis) {
        return add(Step.Kind.REST, millis);
    }

    /** Closes a client, whose batches lose their holds, and opens another in its place. */
    public Steps reopen(int client) {
        return add(Step.Kind.REOPEN, client);
    }

    /**
     * Runs the next two steps at the same time, each in a thread of its own. Two steps that depend on each other are
     * run one after the other.
     */
    public Steps meanwhile() {
        return add(Step.Kind.MEANWHILE);
    }

    /** Ends what is open and publishes until nothing is left, which happens at the end in any case. */
    public Steps finish(int limit) {
        return add(Step.Kind.FINISH, limit);
    }

    /** Runs the steps on a fresh outbox, and fails if an answer was wrong. */
    public void run() {
        Exploration.repeat(target, lease, steps);
    }

    private Steps add(Step.Kind kind, long... numbers) {
        steps.add(Step.of(kind, numbers));
        return this;
    }
}
