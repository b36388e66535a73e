package dev.outbox.relay;

import static dev.outbox.relay.RelayLog.LOG;

import dev.outbox.Delivery;
import dev.outbox.MessageBatch;
import dev.outbox.MisuseException;
import dev.outbox.OutboxListener;
import dev.outbox.OutboxListener.Step;
import dev.outbox.PersistedMessage;
import dev.outbox.Receipt;
import dev.outbox.StoreException;
import dev.outbox.Topic;
import dev.outbox.internal.Answers;
import dev.outbox.internal.Causes;
import java.time.Duration;
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
 * One round of a relay: checkout, publish, close. Runs on one thread, which alone touches the batch; publishers are
 * called on it as long as that is quick, and otherwise on helpers, which report back to it, as asynchronous publishers
 * do.
 *
 * <p>Order: a partition's messages are started in the order of the batch, at most {@link Topic.Builder#inFlight} at a
 * time, and none is started after one that failed, is unanswered at the end, or after the hold was lost.
 *
 * <p>Partitions take turns, one message each, and nothing is started once the batch's time is over: so none waits for
 * the whole of another, and a batch is closed while closing it can still succeed.
 */
final class Round {

    /** How often the hold is looked after while there is nothing to do but to wait. */
    private static final long SIGN_OF_LIFE = 5_000_000_000L;

    /** So many partitions of a topic failing in a row, in one batch, are no matter of their messages any more. */
    private static final int TOO_MANY = 5;

    private final Shared shared;
    private final Map<String, Route<?>> routes;
    private final Shift shift;
    private final Closes.Leave leave;
    private final int wanted;

    /** Topics that are left out, and of which this round is to try one message. */
    private final Set<Route<?>> probes;

    private final Set<Route<?>> tried = new HashSet<>();
    private final Set<Route<?>> failedProbes = new HashSet<>();
    private final Outcomes outcomes;

    private final Landings landings = new Landings();

    /** What was taken in and not looked at yet. Whoever is short of memory in between finds the rest here. */
    private Landings.@Nullable Event news;

    private final Set<Flight<?>> flights = new LinkedHashSet<>();
    private final Map<Route<?>, Integer> failuresInARow = new HashMap<>();
    /** How many helpers are in publishers for this round. */
    private int calls;

    private long nextDeadline = Long.MAX_VALUE;
    private long heldAt;
    private boolean lost;

    private int size;
    private int most;
    private long end;
    private long now;
    private List<Lane<?>> lanes = List.of();
    private boolean checkoutFailed;
    private boolean outOfTime;

    Round(
            Shared shared,
            Map<String, Route<?>> routes,
            Set<Route<?>> probes,
            Shift shift,
            Closes.Leave leave,
            int wanted) {
        this.shared = shared;
        this.routes = routes;
        this.probes = probes;
        this.shift = shift;
        this.leave = leave;
        this.wanted = wanted;
        this.outcomes = new Outcomes(shared, shift);
    }

    /**
     * Does it; partitions in the order in which they came, or at random so that time does not run out on the same ones
     * always.
     */
    RoundResult run(boolean atRandom) {
        MessageBatch batch = checkout();
        if (batch == null) {
            shared.closes.unproven(leave);
        } else {
            try {
                choose(batch, atRandom);
                publishAll(batch);
            } catch (Throwable e) {
                lost = true; // nothing more is started
                failedUnexpectedly(e);
                landWhateverHappens(batch);
            } finally {
                outcomes.close(batch, leave, wanted, lanes, size);
            }
        }
        return new RoundResult(outcomes.published, outcomes.failed, outcomes.storeError);
    }

    private void failedUnexpectedly(Throwable e) {
        try {
            outcomes.storeFailed(Step.MARK, e, System.nanoTime());
        } catch (Throwable again) {
            // Short of memory. What has an outcome is settled, and the rest comes again.
        }
    }

    /** A batch must not be closed while a publisher has a message of it: others would get the partition beside it. */
    private void landWhateverHappens(MessageBatch batch) {
        do {
            try {
                landAll(batch);
            } catch (Throwable e) {
                failedUnexpectedly(e); // what it was about has been taken off the list
            }
        } while (!flights.isEmpty() || calls > 0);
    }

    /** How many messages the batch had. */
    int size() {
        return size;
    }

    /** How many messages the batch was of use for. */
    int used() {
        return outcomes.count();
    }

    /** Tells of each topic that was to be tried what came of it. */
    void endProbes() {
        for (Route<?> route : probes) {
            endProbe(route);
        }
    }

    /** Tells of one topic; needs no memory. */
    void endProbe(Route<?> route) {
        route.probed(failedProbes.contains(route), outcomes.count() > 0 && !tried.contains(route));
    }

    boolean checkoutFailed() {
        return checkoutFailed;
    }

    boolean wasShortOfMemory() {
        return outcomes.shortOfMemory;
    }

    /** Whether messages were left that nothing but the time kept from being started. */
    boolean ranOutOfTime() {
        return outOfTime;
    }

    private @Nullable MessageBatch checkout() {
        long start = System.nanoTime();
        MessageBatch batch = null;
        try {
            shift.takeInterrupt();
            batch = shared.store.checkout(routes.keySet(), leave.limit());
            size = batch.messages().size();
            now = System.nanoTime();
            heldAt = now;
            end = now + shared.time.real(shared.maxBatchTime);
            shared.listeners.checkedOut(size, leave.limit(), start);
            return batch;
        } catch (Throwable e) {
            checkoutFailed = true;
            try {
                outcomes.storeFailed(Step.CHECKOUT, e, start);
            } finally {
                if (batch != null) {
                    outcomes.close(batch, leave, wanted, List.of(), size);
                }
            }
            return null;
        }
    }

    private void choose(MessageBatch batch, boolean atRandom) {
        List<Lane<?>> all = lanes(batch.messages());
        try {
            shared.closing.await(all);
        } catch (InterruptedException e) {
            shift.caught(e);
        }
        now = System.nanoTime(); // time limits of publishers begin after it
        for (Lane<?> lane : all) {
            shared.unsettled.sawHead(lane.key, lane.head());
        }
        if (atRandom) {
            Collections.shuffle(all);
        }
        lanes = shared.closes.choose(leave, all);
        most = lanes.size() == 1 && shared.closes.isAside(lanes.get(0).key) ? 1 : leave.most();
    }

    private List<Lane<?>> lanes(List<PersistedMessage> messages) {
        Map<Lane.Key, Lane<?>> lanes = new LinkedHashMap<>();
        Lane<?> lane = null;
        for (PersistedMessage message : messages) {
            if (lane == null || !lane.takes(message)) {
                lane = lanes.computeIfAbsent(
                        new Lane.Key(message.topic(), message.partition()), key -> laneFor(message, key));
            }
            lane.add(message);
        }
        return new ArrayList<>(lanes.values());
    }

    private Lane<?> laneFor(PersistedMessage message, Lane.Key key) {
        Route<?> route = routes.get(message.topic());
        if (route == null) {
            throw new StoreException("The store returned message " + message.id() + " of topic " + message.topic()
                    + ", which was not asked for: it breaks rule OBX-FILTER-1.");
        }
        return new Lane<>(route, key);
    }

    private void publishAll(MessageBatch batch) {
        List<Lane<?>> open = new ArrayList<>(lanes);
        while (!open.isEmpty()) {
            boolean started = false;
            int kept = 0;
            boolean othersWait = open.size() > 1;
            for (int i = 0; i < open.size(); i++) {
                Lane<?> lane = open.get(i);
                if (lane.isReady() && mayStart(batch) && mayTry(lane)) {
                    if (startNext(batch, lane, othersWait)) {
                        started = true;
                    } else {
                        tried.remove(lane.route);
                    }
                    land(batch);
                }
                if (!lane.isOver()) {
                    open.set(kept++, lane);
                }
            }
            if (kept < open.size()) {
                open.subList(kept, open.size()).clear();
            }
            if (!started) {
                if ((flights.isEmpty() && calls == 0) || !await(batch)) {
                    break;
                }
                land(batch);
            }
        }
        landAll(batch);
    }

    /** Until all have landed, or the relay gives those in the air up: they have no outcome and come again. */
    private void landAll(MessageBatch batch) {
        land(batch);
        while (!flights.isEmpty() || calls > 0) {
            if (!await(batch)) {
                flights.removeIf(flight -> flight.isAnsweredLater() && flight.wasCalled() && flight.claim());
                if (calls > 0) { // still in the publisher, where they have been interrupted
                    landings.await(SIGN_OF_LIFE);
                    shift.takeInterrupt();
                }
            }
            land(batch);
        }
    }

    /**
     * Asked before every message: a process that was paused beyond its lease must not go on publishing; and what could
     * not be remembered must not be published.
     */
    private boolean mayStart(MessageBatch batch) {
        if (outcomes.storeError != null || lost || outcomes.count() + flights.size() >= most || shift.isOver()) {
            return false;
        }
        if (now - end >= 0) {
            outOfTime = true;
            return false;
        }
        return isHeld(batch);
    }

    /**
     * Nothing of a topic that is left out is started, except the one message that finds out whether its broker is
     * back. If it is, the rest of the batch follows.
     */
    private boolean mayTry(Lane<?> lane) {
        if (!lane.route.isOut()) {
            return true;
        }
        if (!probes.contains(lane.route)) {
            lane.stop();
            return false;
        }
        // What is remembered is settled without the broker, and tells nothing about it.
        return shared.unsettled.find(lane.key, lane.peek()) != null || tried.add(lane.route);
    }

    private boolean isHeld(MessageBatch batch) {
        heldAt = now;
        if (!lost && !batch.isHeld()) {
            lost = true;
        }
        return !lost;
    }

    /**
     * Starts the next message of a lane, or settles it if it needs no publishing; false if there is no thread for it
     * now.
     */
    private <T> boolean startNext(MessageBatch batch, Lane<T> lane, boolean othersWait) {
        PersistedMessage message = lane.peek();
        Unsettled.Entry entry = shared.unsettled.find(lane.key, message);
        if (entry != null) {
            lane.start();
            lane.finished();
            outcomes.remembered(batch, lane, message, entry);
            return true;
        }
        if (shared.unsettled.isFull()) {
            lane.stop();
            return false;
        }
        boolean async = lane.route.isAsynchronous();
        if (shared.helpers.areThere() && lane.route.isWorthAHelper(othersWait)) {
            if (startElsewhere(lane, message, async)) {
                return true;
            }
            if (calls > 0) {
                return false; // one of ours comes back
            }
        }
        lane.start();
        if (async) {
            Flight<T> flight = flight(lane, message, null, true);
            flights.add(flight);
            flight.runHere();
            now = System.nanoTime();
        } else {
            publishHere(batch, lane, message);
        }
        return true;
    }

    private <T> boolean startElsewhere(Lane<T> lane, PersistedMessage message, boolean async) {
        Flight<T> flight = flight(lane, message, shared.helpers, async);
        flights.add(flight);
        if (!shared.helpers.start(flight, lane.route, routes.size() > 1)) {
            flights.remove(flight);
            return false;
        }
        lane.start();
        lane.inCall = true;
        calls++;
        return true;
    }

    private <T> Flight<T> flight(Lane<T> lane, PersistedMessage message, @Nullable Helpers helpers, boolean async) {
        long deadline = async ? now + lane.topic.publishTimeout().toNanos() : Long.MAX_VALUE;
        if (async && (nextDeadline == Long.MAX_VALUE || deadline - nextDeadline < 0)) {
            nextDeadline = deadline;
        }
        return new Flight<>(new Flight.Cargo<>(lane, message, landings, shift, helpers), now, deadline);
    }

    private <T> void publishHere(MessageBatch batch, Lane<T> lane, PersistedMessage message) {
        long start = now;
        boolean decoded = false;
        Receipt receipt = null;
        Throwable failure = null;
        shift.enter();
        try {
            Delivery<T> delivery = lane.route.delivery(message);
            decoded = true;
            receipt = lane.route.publish(delivery);
        } catch (Throwable e) {
            shift.caught(e);
            failure = e;
        } finally {
            shift.exit();
        }
        now = System.nanoTime();
        lane.finished();
        lane.route.took(now - start);
        answered(batch, lane, message, receipt, failure, decoded, start, now - start);
    }

    /** Takes in what others have told. */
    private void land(MessageBatch batch) {
        if (nextDeadline != Long.MAX_VALUE && now - nextDeadline >= 0) {
            expire(batch);
        }
        if (news == null && landings.isEmpty()) {
            return;
        }
        now = System.nanoTime();
        while (news != null || (news = landings.takeAll()) != null) {
            Landings.Event event = news;
            news = Landings.after(event);
            if (event instanceof Flight.Returned returned) {
                returned.lane.inCall = false;
                calls--;
            } else if (event instanceof Flight<?> flight && flights.remove(flight)) {
                landed(batch, flight);
            }
        }
    }

    private <T> void landed(MessageBatch batch, Flight<T> flight) {
        Flight.Cargo<T> cargo = flight.cargo();
        if (cargo == null) {
            return;
        }
        flight.letGo();
        answered(
                batch,
                cargo.lane(),
                cargo.message(),
                flight.receipt,
                flight.failure,
                flight.decoded,
                flight.start,
                flight.tookNanos);
        cargo.lane().finished();
    }

    /** Waits for news; false if it is not worth while any more, since what is in the air has been given up. */
    private boolean await(MessageBatch batch) {
        if (shift.isInterrupted()) {
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
            shift.enter();
            try {
                landings.await(wait);
            } finally {
                shift.exit();
            }
            now = System.nanoTime();
        }
        return !shift.isInterrupted();
    }

    /** What has not answered in time has failed, although it may still get through. */
    private void expire(MessageBatch batch) {
        nextDeadline = Long.MAX_VALUE;
        for (Flight<?> flight : List.copyOf(flights)) {
            if (!flight.isAnsweredLater()) {
                continue;
            }
            if (now - flight.deadline >= 0 && flight.wasCalled()) {
                if (flight.claim()) {
                    flights.remove(flight);
                    timedOut(batch, flight);
                }
            } else {
                long next = flight.wasCalled() ? flight.deadline : Math.max(flight.deadline, now + 1_000_000);
                nextDeadline = nextDeadline == Long.MAX_VALUE || next - nextDeadline < 0 ? next : nextDeadline;
            }
        }
    }

    private <T> void timedOut(MessageBatch batch, Flight<T> flight) {
        Flight.Cargo<T> cargo = flight.cargo();
        flight.letGo();
        if (cargo != null) {
            Lane<T> lane = cargo.lane();
            Throwable failure = new TimeoutException(
                    "No answer from the publisher within " + lane.topic.publishTimeout() + "; it may have got through");
            answered(batch, lane, cargo.message(), null, failure, true, flight.start, now - flight.start);
            lane.finished();
        }
    }

    private void answered(
            MessageBatch batch,
            Lane<?> lane,
            PersistedMessage message,
            @Nullable Receipt receipt,
            @Nullable Throwable thrown,
            boolean decoded,
            long start,
            long took) {
        if (thrown == null && receipt != null) {
            if (!failuresInARow.isEmpty()) {
                failuresInARow.remove(lane.route);
            }
            if (lane.route.worked(start)) {
                isBack(lane.topic.name());
            }
            outcomes.published(batch, lane, message, receipt.id(), start);
            return;
        }
        Throwable failure = thrown == null ? new MisuseException(Answers.missing(lane.topic.name())) : thrown;
        Outcomes.Blame blame = outcomes.failed(batch, lane, message, failure, decoded, start);
        if (blame == Outcomes.Blame.NOBODY) {
            return;
        }
        if (probes.contains(lane.route)) {
            failedProbes.add(lane.route);
        }
        if (blame == Outcomes.Blame.BROKER) {
            leaveOut(lane.route, "is away", failure, start);
        } else {
            countAgainst(lane, failure, start, took);
        }
    }

    private void countAgainst(Lane<?> failed, Throwable failure, long start, long took) {
        Route<?> route = failed.route;
        int inARow = failuresInARow.merge(route, failed.blamed ? 0 : 1, Integer::sum);
        failed.blamed = true;
        if (inARow < TOO_MANY && took < shared.time.real(shared.maxBatchTime)) {
            return;
        }
        leaveOut(route, "seems to be away", failure, start);
    }

    private void leaveOut(Route<?> route, String isAway, Throwable failure, long start) {
        for (Lane<?> lane : lanes) {
            if (lane.route.equals(route)) {
                lane.stop();
            }
        }
        Throwable cause = Causes.unwrapped(failure);
        Duration pause = route.leaveOut(Reason.of(cause), start);
        if (pause != null) {
            String topic = route.topic.name();
            shared.listeners.leftOut(new OutboxListener.LeftOut(topic, pause, cause));
            try {
                LOG.warn(
                        "The broker of topic {} {}: {}. Nothing of the topic is asked for until it is"
                                + " back; meanwhile it is tried with one message at a time, with growing pauses of up to a"
                                + " minute",
                        topic,
                        isAway,
                        Reason.onOneLine(Reason.of(cause)));
            } catch (Throwable e) {
                // The state and the listeners have it.
            }
        }
    }

    private static void isBack(String topic) {
        try {
            LOG.info("The broker of topic {} is back", topic);
        } catch (Throwable e) {
            // Nothing that needs to be known.
        }
    }
}
