package dev.outbox.relay;

import static dev.outbox.relay.RelayLog.LOG;

import dev.outbox.Delivery;
import dev.outbox.MessageBatch;
import dev.outbox.MisuseException;
import dev.outbox.OutboxListener.Step;
import dev.outbox.PersistedMessage;
import dev.outbox.Receipt;
import dev.outbox.StoreException;
import dev.outbox.Topic;
import dev.outbox.internal.Answers;
import dev.outbox.internal.QuickHold;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * One round of a relay: it checks a batch out, publishes its messages and closes it. One thread runs the round, and
 * only this thread touches the batch. It calls publishers itself while they are quick. Otherwise helpers call them.
 * Helpers and asynchronous publishers report to the thread through {@link Completions}.
 *
 * <p>Order. The messages of a partition are started in the order of the batch, at most {@link Topic.Builder#inFlight}
 * at a time. None is started after a message of the partition failed, and none after the hold was lost.
 *
 * <p>Fairness. The partitions take turns, one message each, so no partition waits for all messages of another. Nothing
 * is started after the time of the batch is over. So the batch is closed while closing it can still succeed.
 *
 * <p>No overlap. The batch is closed only when no publisher has a message of it any longer, or when the relay has given
 * that publisher up. Otherwise another batch could get the partition, and its messages would overtake this one.
 */
final class Round {
    /** While the round only waits, it asks this often whether the batch still has its hold. */
    private static final long SIGN_OF_LIFE = 5_000_000_000L;

    /**
     * From here on a backend may have bounded the batch, and not the limit; see rule OBX-LIMIT-2. It may bound the
     * bytes at 16 MiB and counts more than payloads, so half of that is taken.
     */
    private static final int MANY_PARTITIONS = 100;

    private static final int MANY_MESSAGES = 10_000;
    private static final long MANY_BYTES = 8L << 20;

    /** For fewer answers the round is not woken when it has started everything, unless no more are to come. */
    private static final int TOGETHER = 32;

    /** If this many partitions of a topic fail in a row in one batch, the cause is the broker and not a message. */
    private static final int TOO_MANY = 5;

    private final Shared shared;
    private final Map<String, Route<?>> routes;
    private final WorkerRun run;
    private final Admission.Permit permit;
    private final int wanted;

    /** Topics that are left out. This round tries one message of each. */
    private final Set<Route<?>> probes;

    /** Those of which this round has started that message. */
    private final Set<Route<?>> tried = new HashSet<>();

    private final Set<Route<?>> failedProbes = new HashSet<>();
    private final Outcomes outcomes;

    private final Completions completions = new Completions();

    /**
     * Events that were taken from the list and not handled yet. If handling one lacks memory, the rest is still here.
     */
    private Completions.@Nullable Event news;

    private final Set<InFlight<?>> inFlight = new LinkedHashSet<>();
    private final Map<Route<?>, Integer> failuresInARow = new HashMap<>();

    /** How many helpers are in publishers for this round. */
    private int calls;

    private long nextDeadline = Long.MAX_VALUE;
    /** When the batch was last asked whether it has its hold. */
    private long heldAt;

    /** The hold is lost, or the round has failed: nothing more is started. */
    private boolean lost;

    private int size;

    /** Whether the store may have more messages now than it gave. */
    private boolean isFull;

    /** How many messages may get an outcome. */
    private int most;

    /** When the time of the batch is over. */
    private long end;

    /** The time when the clock was last read: after a call of a publisher or of the store, and after waiting. */
    private long now;

    /** Whether nothing was done since that can take long: no listener was told, nothing was logged. */
    private boolean isNow;

    /** The batch, if it can tell without waiting that it has its hold. */
    private @Nullable QuickHold quickHold;

    private List<PartitionQueue<?>> queues = List.of();
    private boolean checkoutFailed;
    private boolean outOfTime;

    Round(
            Shared shared,
            Map<String, Route<?>> routes,
            Set<Route<?>> probes,
            WorkerRun run,
            Admission.Permit permit,
            int wanted) {
        this.shared = shared;
        this.routes = routes;
        this.probes = probes;
        this.run = run;
        this.permit = permit;
        this.wanted = wanted;
        this.outcomes = new Outcomes(shared, run);
    }

    /**
     * Runs the round.
     *
     * @param atRandom whether the order of the partitions is random. It is after a round that ran out of time, so that
     *     the time does not always run out for the same partitions
     */
    RoundResult run(boolean atRandom) {
        MessageBatch batch = checkout();
        if (batch == null) {
            shared.admission.unproven(permit);
        } else {
            run.hasBatch(size > 0);
            try {
                choose(batch, atRandom);
                publishAll(batch);
            } catch (Throwable e) {
                lost = true;
                failedUnexpectedly(e);
                drainWhateverHappens(batch);
            } finally {
                try {
                    outcomes.close(batch, permit, wanted, queues, size);
                } finally {
                    run.hasBatch(false);
                }
            }
        }
        return new RoundResult(outcomes.published, outcomes.failed, outcomes.storeError);
    }

    private void failedUnexpectedly(Throwable e) {
        try {
            outcomes.storeFailed(Step.MARK, e, System.nanoTime());
        } catch (Throwable again) {
            // There is no memory. The messages with an outcome are settled, and the others come again.
        }
    }

    /**
     * A batch must not be closed while a publisher has a message of it, because another batch would then get the
     * partition. So this goes on after any error. It ends, because each error takes an event off the list.
     */
    private void drainWhateverHappens(MessageBatch batch) {
        do {
            try {
                drainAll(batch);
            } catch (Throwable e) {
                failedUnexpectedly(e);
            }
        } while (isBusy());
    }

    /** How many messages the batch had. */
    int size() {
        return size;
    }

    /** Whether the store may have more messages now than the batch had: then there is work for another worker, too. */
    boolean isFull() {
        return isFull;
    }

    /** How many messages got an outcome. */
    int used() {
        return outcomes.count();
    }

    /** Says for each topic that was to be tried what the result was. */
    void endProbes() {
        for (Route<?> route : probes) {
            endProbe(route);
        }
    }

    /** Says it for one topic. Needs no memory. */
    void endProbe(Route<?> route) {
        route.probed(run, failedProbes.contains(route), outcomes.count() > 0 && !tried.contains(route));
    }

    boolean checkoutFailed() {
        return checkoutFailed;
    }

    boolean wasShortOfMemory() {
        return outcomes.shortOfMemory;
    }

    /** Whether messages were not started only because the time of the batch was over. */
    boolean ranOutOfTime() {
        return outOfTime;
    }

    private @Nullable MessageBatch checkout() {
        long start = System.nanoTime();
        MessageBatch batch = null;
        try {
            run.takeInterrupt();
            batch = shared.store.checkout(routes.keySet(), permit.limit());
            quickHold = batch instanceof QuickHold quick ? quick : null;
            size = batch.messages().size();
            now = System.nanoTime();
            heldAt = now;
            end = now + shared.time.real(shared.maxBatchTime);
            shared.listeners.checkedOut(size, permit.limit(), start);
            return batch;
        } catch (Throwable e) {
            checkoutFailed = true;
            try {
                outcomes.storeFailed(Step.CHECKOUT, e, start);
            } finally {
                if (batch != null) {
                    outcomes.close(batch, permit, wanted, List.of(), size);
                }
            }
            return null;
        }
    }

    private void choose(MessageBatch batch, boolean atRandom) {
        List<PartitionQueue<?>> all = queues(batch.messages());
        isFull = size >= permit.limit()
                || size >= MANY_MESSAGES
                || all.size() >= MANY_PARTITIONS
                || hasManyBytes(batch.messages());
        shared.closing.takeOver(all, shared.unsettled);
        now = System.nanoTime(); // the time that publishers take begins here
        for (PartitionQueue<?> queue : all) {
            shared.unsettled.sawHead(queue.partition, queue.head());
        }
        if (atRandom) {
            Collections.shuffle(all);
        }
        queues = shared.admission.choose(permit, all);
        most = queues.size() == 1 && shared.admission.isAside(queues.get(0).partition) ? 1 : permit.most();
    }

    private static boolean hasManyBytes(List<PersistedMessage> messages) {
        long left = MANY_BYTES;
        for (PersistedMessage message : messages) {
            left -= message.payload().length;
        }
        return left <= 0;
    }

    private List<PartitionQueue<?>> queues(List<PersistedMessage> messages) {
        Map<Partition, PartitionQueue<?>> queues = new LinkedHashMap<>();
        PartitionQueue<?> queue = null;
        for (PersistedMessage message : messages) {
            if (queue == null || !queue.takes(message)) {
                queue = queues.computeIfAbsent(
                        new Partition(message.topic(), message.partition()), key -> queueFor(message, key));
            }
            queue.add(message);
            shared.partitionCounts.look(queue.topic, message, shared.listeners);
        }
        return new ArrayList<>(queues.values());
    }

    private PartitionQueue<?> queueFor(PersistedMessage message, Partition partition) {
        Route<?> route = routes.get(message.topic());
        if (route == null) {
            throw new StoreException("The store returned message " + message.id() + " of topic " + message.topic()
                    + ", which was not asked for: it breaks rule OBX-FILTER-1.");
        }
        return new PartitionQueue<>(route, partition);
    }

    private void publishAll(MessageBatch batch) {
        List<PartitionQueue<?>> open = new ArrayList<>(queues);
        while (!open.isEmpty()) {
            boolean wasBusy = isBusy();
            boolean started = false;
            int kept = 0;
            boolean othersWait = open.size() > 1;
            for (int i = 0; i < open.size(); i++) {
                PartitionQueue<?> queue = open.get(i);
                if (queue.isReady() && mayStart(batch) && mayTry(queue)) {
                    if (startNext(batch, queue, othersWait)) {
                        started = true;
                    } else {
                        tried.remove(queue.route);
                    }
                    drain(batch);
                }
                if (!queue.isOver()) {
                    open.set(kept++, queue);
                }
            }
            if (kept < open.size()) {
                open.subList(kept, open.size()).clear();
            }
            if (started) {
                continue;
            }
            if (isBusy()) {
                if (!await(batch, 1)) { // the first answer may let another message start
                    break;
                }
                drain(batch);
            } else if (!wasBusy) {
                break;
            } // otherwise all came back meanwhile, and what could not be started may be now
        }
        drainAll(batch);
    }

    private boolean isBusy() {
        return !inFlight.isEmpty() || calls > 0;
    }

    /**
     * Waits until every message in flight is answered, or the relay gives up. A message that is given up has no outcome
     * and comes again.
     */
    private void drainAll(MessageBatch batch) {
        drain(batch);
        while (isBusy()) {
            int left = inFlight.size() + calls;
            // To be woken costs more than an answer does. So it waits for half of those that are left.
            if (!await(batch, Math.min(left, Math.max(TOGETHER, left / 2)))) {
                inFlight.removeIf(sent -> sent.isAnsweredLater() && sent.wasCalled() && sent.claim());
                if (calls > 0) { // helpers that are still in the publisher, although they were interrupted
                    completions.await(1, SIGN_OF_LIFE);
                    run.takeInterrupt();
                }
            }
            drain(batch);
        }
    }

    /**
     * Whether a message may be started. It is asked before every message: the process may have been paused for longer
     * than its lease, and then another relay publishes the same messages.
     */
    private boolean mayStart(MessageBatch batch) {
        if (outcomes.storeError != null || lost || outcomes.count() + inFlight.size() >= most || run.isOver()) {
            return false;
        }
        if (now - end >= 0) {
            outOfTime = true;
            return false;
        }
        return isHeld(batch);
    }

    /**
     * Whether a message of the topic may be started. If the topic is left out, only one message is started, which shows
     * whether the broker is back. If it is, the rest of the batch follows.
     */
    private boolean mayTry(PartitionQueue<?> queue) {
        if (!queue.route.isOut()) {
            return true;
        }
        if (!probes.contains(queue.route)) {
            queue.stop();
            return false;
        }
        // A message that is remembered is settled without the broker, so it shows nothing about the broker.
        return shared.unsettled.knows(queue.partition, queue.peek()) || tried.add(queue.route);
    }

    /**
     * A batch that knows that it has its hold is told the time when the last message was answered. Between that and
     * here is only bookkeeping in memory. A pause in it is no worse than one between the answer and the publisher: the
     * message is started a moment after the hold was sure, and nobody can see a pause in that moment.
     */
    private boolean isHeld(MessageBatch batch) {
        if (!isNow) {
            now = System.nanoTime();
        }
        isNow = false;
        heldAt = now;
        if (!lost && (quickHold == null || !quickHold.isHeldAt(now))) {
            lost = !batch.isHeld();
            now = System.nanoTime(); // the store's answer is no publisher's time
        }
        return !lost;
    }

    /**
     * Starts the next message of a partition. A message that was published before is only settled. If there is no room
     * to remember one more outcome, nothing is published, because it might be published again.
     *
     * @return false if nothing was started, because no helper is free or nothing more can be remembered
     */
    private <T> boolean startNext(MessageBatch batch, PartitionQueue<T> queue, boolean othersWait) {
        PersistedMessage message = queue.peek();
        Unsettled.Entry entry = shared.unsettled.find(queue.partition, message);
        if (entry != null) {
            queue.start();
            queue.finished();
            outcomes.remembered(batch, queue, message, entry);
            return true;
        }
        if (shared.unsettled.isFull()) {
            queue.stop();
            return false;
        }
        boolean async = queue.route.isAsynchronous();
        if (shared.helpers.areThere() && queue.route.isWorthAHelper(othersWait)) {
            if (startElsewhere(queue, message, async)) {
                return true;
            }
            if (calls > 0) {
                return false; // a helper of this round comes back, and the message is started then
            }
        }
        queue.start();
        if (async) {
            InFlight<T> sent = newInFlight(queue, message, null, true);
            inFlight.add(sent);
            sent.runHere();
            now = System.nanoTime();
        } else {
            publishHere(batch, queue, message);
        }
        return true;
    }

    private <T> boolean startElsewhere(PartitionQueue<T> queue, PersistedMessage message, boolean async) {
        InFlight<T> sent = newInFlight(queue, message, shared.helpers, async);
        inFlight.add(sent);
        if (!shared.helpers.start(sent, queue.route, routes.size() > 1)) {
            inFlight.remove(sent);
            return false;
        }
        queue.start();
        queue.inCall = true;
        calls++;
        return true;
    }

    private <T> InFlight<T> newInFlight(
            PartitionQueue<T> queue, PersistedMessage message, @Nullable Helpers helpers, boolean async) {
        long deadline = async ? now + queue.topic.publishTimeout().toNanos() : Long.MAX_VALUE;
        if (async && (nextDeadline == Long.MAX_VALUE || deadline - nextDeadline < 0)) {
            nextDeadline = deadline;
        }
        return new InFlight<>(new InFlight.Context<>(queue, message, completions, run, helpers), now, deadline);
    }

    private <T> void publishHere(MessageBatch batch, PartitionQueue<T> queue, PersistedMessage message) {
        long start = now;
        boolean decoded = false;
        Receipt receipt = null;
        Throwable failure = null;
        run.enter(queue.route, start);
        try {
            Delivery<T> delivery = queue.route.delivery(message);
            decoded = true;
            receipt = queue.route.publish(delivery);
        } catch (Throwable e) {
            run.caught(e);
            failure = e;
        } finally {
            run.exit();
        }
        now = System.nanoTime();
        isNow = true;
        queue.finished();
        queue.route.took(now - start);
        answered(batch, queue, message, receipt, failure, decoded, start, now - start);
    }

    /** Handles what helpers and publishers have reported. */
    private void drain(MessageBatch batch) {
        if (nextDeadline != Long.MAX_VALUE && now - nextDeadline >= 0) {
            expire(batch);
        }
        if (news == null && completions.isEmpty()) {
            return;
        }
        now = System.nanoTime();
        while (news != null || (news = completions.takeAll()) != null) {
            Completions.Event event = news;
            news = Completions.after(event);
            if (event instanceof InFlight.Returned returned) {
                returned.queue.inCall = false;
                calls--;
            } else if (event instanceof InFlight<?> sent && inFlight.remove(sent)) {
                completed(batch, sent);
            }
        }
    }

    private <T> void completed(MessageBatch batch, InFlight<T> sent) {
        InFlight.Context<T> context = sent.context();
        if (context == null) {
            return;
        }
        sent.letGo();
        answered(
                batch,
                context.queue(),
                context.message(),
                sent.receipt,
                sent.failure,
                sent.decoded,
                sent.start,
                sent.tookNanos);
        context.queue().finished();
    }

    /** Waits for this number of reports; false if the relay has given up the messages that are in flight. */
    private boolean await(MessageBatch batch, int reports) {
        if (run.isInterrupted()) {
            return false;
        }
        now = System.nanoTime();
        if (outcomes.storeError == null && now - heldAt >= SIGN_OF_LIFE) {
            isHeld(batch);
        }
        long wait = heldAt + SIGN_OF_LIFE - now;
        if (outcomes.storeError != null || wait <= 0) {
            wait = SIGN_OF_LIFE;
        }
        if (nextDeadline != Long.MAX_VALUE) {
            wait = Math.min(wait, nextDeadline - now);
        }
        if (wait > 0) {
            run.enter(null, now);
            try {
                completions.await(reports, wait);
            } finally {
                run.exit();
            }
            now = System.nanoTime();
        }
        return !run.isInterrupted();
    }

    /** Messages without an answer in time have failed, although the broker may still get them. */
    private void expire(MessageBatch batch) {
        nextDeadline = Long.MAX_VALUE;
        for (InFlight<?> sent : List.copyOf(inFlight)) {
            if (!sent.isAnsweredLater()) {
                continue;
            }
            if (now - sent.deadline >= 0 && sent.wasCalled()) {
                if (sent.claim()) {
                    inFlight.remove(sent);
                    timedOut(batch, sent);
                }
            } else {
                long next = sent.wasCalled() ? sent.deadline : Math.max(sent.deadline, now + 1_000_000);
                nextDeadline = nextDeadline == Long.MAX_VALUE || next - nextDeadline < 0 ? next : nextDeadline;
            }
        }
    }

    private <T> void timedOut(MessageBatch batch, InFlight<T> sent) {
        InFlight.Context<T> context = sent.context();
        sent.letGo();
        if (context != null) {
            PartitionQueue<T> queue = context.queue();
            Throwable failure = new TimeoutException("No answer from the publisher within "
                    + queue.topic.publishTimeout() + "; it may have got through");
            answered(batch, queue, context.message(), null, failure, true, sent.start, now - sent.start);
            queue.finished();
        }
    }

    private void answered(
            MessageBatch batch,
            PartitionQueue<?> queue,
            PersistedMessage message,
            @Nullable Receipt receipt,
            @Nullable Throwable thrown,
            boolean decoded,
            long start,
            long took) {
        if (thrown == null && receipt != null) {
            if (!failuresInARow.isEmpty()) {
                failuresInARow.remove(queue.route);
            }
            if (queue.route.worked(start)) {
                isBack(queue.topic.name());
                isNow = false;
            }
            isNow &= !shared.listeners.areThere();
            outcomes.published(batch, queue, message, receipt.id(), took);
            return;
        }
        isNow = false;
        Throwable failure = thrown == null ? new MisuseException(Answers.missing(queue.topic.name())) : thrown;
        Outcomes.Blame blame = outcomes.failed(batch, queue, message, failure, decoded, took);
        if (blame == Outcomes.Blame.NOBODY) {
            return;
        }
        if (probes.contains(queue.route)) {
            failedProbes.add(queue.route);
        }
        if (blame == Outcomes.Blame.BROKER) {
            leaveOut(queue.route, Shared.IS_AWAY, failure, start);
        } else {
            countAgainst(queue, failure, start, took);
        }
    }

    private void countAgainst(PartitionQueue<?> failed, Throwable failure, long start, long took) {
        Route<?> route = failed.route;
        int inARow = failuresInARow.merge(route, failed.blamed ? 0 : 1, Integer::sum);
        failed.blamed = true;
        if (inARow < TOO_MANY && took < shared.time.real(shared.maxBatchTime)) {
            return;
        }
        leaveOut(route, Shared.SEEMS_AWAY, failure, start);
    }

    private void leaveOut(Route<?> route, String isAway, Throwable failure, long start) {
        for (PartitionQueue<?> queue : queues) {
            if (queue.route.equals(route)) {
                queue.stop();
            }
        }
        shared.leaveOut(route, isAway, failure, start);
    }

    private static void isBack(String topic) {
        try {
            LOG.info("[OUTBOX-107] The broker of topic {} is back", topic);
        } catch (Throwable e) {
            // Nothing depends on this line.
        }
    }
}
