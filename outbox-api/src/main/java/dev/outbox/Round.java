package dev.outbox;

import dev.outbox.OutboxListener.Step;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One round of a relay: checkout, publish, close. Runs on one thread, which alone touches the batch; asynchronous
 * publishers answer through a queue.
 *
 * <p>Order: a partition's messages are started in the order of the batch, at most {@link Topic.Builder#inFlight} at a time,
 * and none is started after one that failed, is unanswered at the end, or after the hold was lost.
 */
final class Round {
    private static final Logger LOG = LoggerFactory.getLogger(Relay.class);

    private final Store store;
    private final Map<String, Topic<?>> topics;
    private final Listeners listeners;
    private final Shift shift;

    private final LinkedBlockingQueue<Flight.Landing> landings = new LinkedBlockingQueue<>();
    private final Set<Flight<?>> flights = new LinkedHashSet<>();
    private final long base = System.nanoTime();
    private long nextDeadline = Long.MAX_VALUE;

    private int size;
    private int published;
    private int failed;
    private int markedPublished;
    private int markedFailed;
    private int markedDead;
    private @Nullable OutboxException storeError;

    Round(Store store, Map<String, Topic<?>> topics, Listeners listeners, Shift shift) {
        this.store = store;
        this.topics = topics;
        this.listeners = listeners;
        this.shift = shift;
    }

    RoundResult run(int limit) {
        MessageBatch batch = checkout(limit);
        if (batch != null) {
            try {
                publishAll(batch);
            } catch (Throwable e) {
                storeFailed(Step.MARK, e, System.nanoTime());
                landAll(batch);
            } finally {
                close(batch);
            }
        }
        return new RoundResult(published, failed, storeError);
    }

    private @Nullable MessageBatch checkout(int limit) {
        long start = System.nanoTime();
        MessageBatch batch = null;
        try {
            shift.takeInterrupt();
            batch = store.checkout(topics.keySet(), limit);
            size = batch.messages().size();
            listeners.checkedOut(size, limit, start);
            return batch;
        } catch (Throwable e) {
            storeFailed(Step.CHECKOUT, e, start);
            if (batch != null) {
                close(batch);
            }
            return null;
        }
    }

    private void close(MessageBatch batch) {
        long start = System.nanoTime();
        try {
            shift.takeInterrupt();
            batch.close();
        } catch (Throwable e) {
            storeFailed(Step.CLOSE, e, start);
            return;
        }
        int released = size - markedPublished - markedFailed - markedDead;
        listeners.settled(new OutboxListener.Settled(
                markedPublished, markedFailed, markedDead, released, Listeners.since(start)));
    }

    private void publishAll(MessageBatch batch) {
        List<Lane<?>> lanes = lanes(batch.messages());
        for (Lane<?> lane : lanes) {
            if (lane.topic.asyncPublisher() != null) {
                launch(batch, lane);
            }
        }
        for (Lane<?> lane : lanes) {
            if (lane.topic.asyncPublisher() == null) {
                publishInTurn(batch, lane);
            }
        }
        landAll(batch);
    }

    /** Until all have landed, or the relay gives those in the air up: they have no outcome and come again. */
    private void landAll(MessageBatch batch) {
        boolean worthWaiting = true;
        while (worthWaiting && !flights.isEmpty()) {
            worthWaiting = land(batch, true);
        }
    }

    private List<Lane<?>> lanes(List<PersistedMessage> messages) {
        Map<Lane.Key, Lane<?>> lanes = new LinkedHashMap<>();
        Lane<?> lane = null;
        for (PersistedMessage message : messages) {
            if (lane == null || !lane.takes(message)) {
                lane = lanes.computeIfAbsent(new Lane.Key(message.topic(), message.partition()), k -> laneFor(message));
            }
            lane.add(message);
        }
        return new ArrayList<>(lanes.values());
    }

    private Lane<?> laneFor(PersistedMessage message) {
        Topic<?> topic = topics.get(message.topic());
        if (topic == null) {
            throw new StoreException("The store returned message " + message.id() + " of topic " + message.topic()
                    + ", which was not asked for: it breaks rule OBX-FILTER-1.");
        }
        return new Lane<>(topic, message.partition());
    }

    /** Asked before every message: a process that was paused beyond its lease must not go on publishing. */
    private boolean mayStart(MessageBatch batch) {
        return storeError == null && !shift.isOver() && batch.isHeld();
    }

    private <T> void publishInTurn(MessageBatch batch, Lane<T> lane) {
        while (lane.isReady() && mayStart(batch)) {
            publishNext(batch, lane);
            if (!flights.isEmpty()) {
                land(batch, false);
            }
        }
    }

    private <T> void publishNext(MessageBatch batch, Lane<T> lane) {
        PersistedMessage message = lane.start();
        long start = listeners.now();
        boolean decoded = false;
        String publishId = null;
        Throwable failure = null;
        shift.enter();
        try {
            Delivery<T> delivery = lane.topic.delivery(message);
            decoded = true;
            publishId = lane.topic.start(delivery);
        } catch (Throwable e) {
            shift.caught(e);
            failure = e;
        } finally {
            shift.exit();
        }
        if (failure != null && !decoded) {
            undecoded(batch, lane, message, failure, start);
        } else {
            answered(batch, lane, message, publishId, failure, start);
        }
        lane.finished();
    }

    private <T> void launch(MessageBatch batch, Lane<T> lane) {
        AsyncBrokerPublisher<T> publisher = lane.topic.asyncPublisher();
        while (publisher != null && lane.isReady() && mayStart(batch)) {
            PersistedMessage message = lane.start();
            long start = System.nanoTime();
            Delivery<T> delivery = decode(batch, lane, message, start);
            if (delivery == null) {
                lane.finished();
                continue;
            }
            long deadline = elapsed() + lane.topic.publishTimeout().toNanos();
            Flight<T> flight = new Flight<>(lane, message, start, deadline);
            flights.add(flight);
            nextDeadline = Math.min(nextDeadline, deadline);
            shift.enter();
            try {
                CompletionStage<? extends @Nullable String> stage = publisher.publish(delivery);
                stage.whenComplete((id, failure) -> {
                    if (failure != null) {
                        lane.stop(); // now, and not when we come to look at it
                    }
                    landings.add(new Flight.Landing(flight, id, failure));
                });
            } catch (Throwable e) {
                shift.caught(e);
                lane.stop();
                landings.add(new Flight.Landing(flight, null, e));
            } finally {
                shift.exit();
            }
        }
    }

    /** Takes in answers, starts what may follow them, and says whether it is worth while to go on waiting. */
    private boolean land(MessageBatch batch, boolean wait) {
        if (elapsed() >= nextDeadline) {
            expire();
        }
        Flight.Landing landing = landings.poll();
        if (landing == null && wait) {
            shift.enter();
            try {
                landing = landings.poll(nextDeadline - elapsed(), TimeUnit.NANOSECONDS);
            } catch (InterruptedException e) {
                shift.caught(e);
                return !shift.isInterrupted();
            } finally {
                shift.exit();
            }
        }
        while (landing != null) {
            Flight<?> flight = landing.flight();
            if (flights.remove(flight)) {
                flight.lane.finished();
                answered(batch, flight.lane, flight.message, landing.publishId(), landing.failure(), flight.start);
                launch(batch, flight.lane);
            }
            landing = landings.poll();
        }
        return true;
    }

    /** What has not answered in time has failed, although it may still get through. */
    private void expire() {
        long now = elapsed();
        nextDeadline = Long.MAX_VALUE;
        for (Flight<?> flight : flights) {
            if (flight.deadline <= now) {
                flight.lane.stop();
                landings.add(new Flight.Landing(
                        flight,
                        null,
                        new TimeoutException("No answer from the publisher within " + flight.lane.topic.publishTimeout()
                                + "; it may have got through")));
            } else {
                nextDeadline = Math.min(nextDeadline, flight.deadline);
            }
        }
    }

    private long elapsed() {
        return System.nanoTime() - base;
    }

    /** Null if it could not be decoded. */
    private <T> @Nullable Delivery<T> decode(MessageBatch batch, Lane<T> lane, PersistedMessage message, long start) {
        Throwable failure;
        shift.enter();
        try {
            return lane.topic.delivery(message);
        } catch (Throwable e) {
            shift.caught(e);
            failure = e;
        } finally {
            shift.exit();
        }
        undecoded(batch, lane, message, failure, start);
        return null;
    }

    /** Then no further try can help, unless an operator wants one. */
    private void undecoded(MessageBatch batch, Lane<?> lane, PersistedMessage message, Throwable failure, long start) {
        lane.stop();
        if (failure instanceof Exception && !shift.isInterrupted()) {
            giveUp(batch, message, failure, "Undecodable: " + Reason.of(failure), start);
        } else {
            failed(batch, lane, message, failure, start); // short of memory, or of a class: may work elsewhere
        }
    }

    private void answered(
            MessageBatch batch,
            Lane<?> lane,
            PersistedMessage message,
            @Nullable String publishId,
            @Nullable Throwable failure,
            long start) {
        if (failure != null) {
            lane.stop();
            failed(batch, lane, message, failure, start);
            return;
        }
        published++;
        listeners.published(message, publishId, start);
        if (storeError == null) {
            try {
                batch.markPublished(message, publishId);
                markedPublished++;
            } catch (Throwable e) {
                storeFailed(Step.MARK, e, start);
            }
        }
    }

    /** Marks a failed message, unless that was our own interrupt: then it is no fault of the message, which comes again. */
    private void failed(MessageBatch batch, Lane<?> lane, PersistedMessage message, Throwable failure, long start) {
        if (shift.isInterrupted()) {
            return;
        }
        Throwable cause = unwrapped(failure);
        String reason = Reason.of(cause);
        int attempt = message.attempts() + 1;
        if (lane.topic.retry().givesUpAfter(attempt)) {
            giveUp(batch, message, cause, reason, start);
            return;
        }
        failed++;
        if (storeError != null) {
            return;
        }
        Duration delay = lane.topic.retry().delayAfter(attempt);
        try {
            batch.markFailed(message, reason, delay);
            markedFailed++;
        } catch (Throwable e) {
            storeFailed(Step.MARK, e, start);
            return;
        }
        LOG.warn(
                "Message {} of {}/{} failed at attempt {}; its partition waits {}: {}",
                message.id(),
                message.topic(),
                message.partition(),
                attempt,
                delay,
                reason);
        listeners.failed(message, cause, reason, delay, start);
    }

    /**
     * The partition goes on without the message, but only from the next batch: if this one is not closed well, the message
     * comes again, and then nothing may have overtaken it.
     */
    private void giveUp(MessageBatch batch, PersistedMessage message, Throwable cause, String reason, long start) {
        failed++;
        if (storeError != null) {
            return;
        }
        try {
            batch.deadLetter(message, reason);
            markedDead++;
        } catch (Throwable e) {
            storeFailed(Step.MARK, e, start);
            return;
        }
        LOG.error(
                "Message {} of {}/{} is given up at attempt {} and becomes a dead letter: {}",
                message.id(),
                message.topic(),
                message.partition(),
                message.attempts() + 1,
                reason);
        listeners.deadLettered(message, cause, reason, start);
    }

    private static Throwable unwrapped(Throwable failure) {
        if (failure instanceof CompletionException || failure instanceof ExecutionException) {
            Throwable cause = failure.getCause();
            return cause == null ? failure : cause;
        }
        return failure;
    }

    private void storeFailed(Step step, Throwable failure, long start) {
        OutboxException error = failure instanceof OutboxException known
                ? known
                : new StoreException("The store failed unexpectedly at " + step + ": " + Reason.of(failure), failure);
        if (storeError == null) {
            storeError = error;
        } else if (storeError != error) {
            storeError.addSuppressed(error);
        }
        listeners.storeFailed(step, error, start);
    }
}
