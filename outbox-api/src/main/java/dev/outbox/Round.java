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

    private int published;
    private int failed;
    private int deadLettered;
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
            } finally {
                close(batch);
            }
        }
        return new RoundResult(published, failed + deadLettered, storeError);
    }

    private @Nullable MessageBatch checkout(int limit) {
        long start = System.nanoTime();
        try {
            MessageBatch batch = store.checkout(topics.keySet(), limit);
            listeners.checkedOut(batch.messages().size(), limit, start);
            return batch;
        } catch (Throwable e) {
            storeFailed(Step.CHECKOUT, e, start);
            return null;
        }
    }

    private void close(MessageBatch batch) {
        long start = System.nanoTime();
        try {
            batch.close();
        } catch (Throwable e) {
            storeFailed(Step.CLOSE, e, start);
            return;
        }
        int released = batch.messages().size() - published - failed - deadLettered;
        listeners.settled(new OutboxListener.Settled(
                published, failed, deadLettered, Math.max(0, released), Listeners.since(start)));
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
        while (!flights.isEmpty() && land(batch, true)) {
            // until all have landed, or the shift ends with some in the air: those have no outcome and come again
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
            PersistedMessage message = lane.start();
            long start = System.nanoTime();
            Delivery<T> delivery = decode(batch, lane, message, start);
            if (delivery != null) {
                publish(batch, lane, message, delivery, start);
            }
            lane.finished();
            if (!flights.isEmpty()) {
                land(batch, false);
            }
        }
    }

    private <T> void publish(
            MessageBatch batch, Lane<T> lane, PersistedMessage message, Delivery<T> delivery, long start) {
        String publishId = null;
        Throwable failure = null;
        shift.enter();
        try {
            publishId = lane.topic.start(delivery);
        } catch (Throwable e) {
            shift.caught(e);
            failure = e;
        } finally {
            shift.exit();
        }
        answered(batch, lane, message, publishId, failure, start);
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
                stage.whenComplete((id, failure) -> landings.add(new Flight.Landing(flight, id, failure)));
            } catch (Throwable e) {
                shift.caught(e);
                landings.add(new Flight.Landing(flight, null, e));
            } finally {
                shift.exit();
            }
        }
    }

    /** Takes in answers, starts what may follow them, and says whether it is worth while to go on waiting. */
    private boolean land(MessageBatch batch, boolean wait) {
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
            if (landing == null) {
                expire();
                return true;
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

    /** Null if it could not be decoded: then no further try can help, unless an operator wants one. */
    private <T> @Nullable Delivery<T> decode(MessageBatch batch, Lane<T> lane, PersistedMessage message, long start) {
        try {
            return lane.topic.delivery(message);
        } catch (Exception e) {
            giveUp(batch, lane, message, e, "Undecodable: " + Reason.of(e), start);
        } catch (Throwable e) { // the machine is short of something, or a class is missing here: may work elsewhere
            retry(batch, lane, message, e, start);
        }
        return null;
    }

    private void answered(
            MessageBatch batch,
            Lane<?> lane,
            PersistedMessage message,
            @Nullable String publishId,
            @Nullable Throwable failure,
            long start) {
        if (failure == null) {
            published++;
            listeners.published(message, publishId, start);
            try {
                if (storeError == null) {
                    batch.markPublished(message, publishId);
                }
            } catch (Throwable e) {
                storeFailed(Step.MARK, e, start);
            }
            return;
        }
        if (shift.isInterrupted()) {
            lane.stop(); // nobody knows what became of it, and it is no fault of the message: no attempt is counted
        } else {
            retry(batch, lane, message, failure, start);
        }
    }

    private void retry(MessageBatch batch, Lane<?> lane, PersistedMessage message, Throwable failure, long start) {
        Throwable cause = unwrapped(failure);
        String reason = Reason.of(cause);
        int attempt = message.attempts() + 1;
        if (lane.topic.retry().givesUpAfter(attempt)) {
            giveUp(batch, lane, message, cause, reason, start);
            return;
        }
        failed++;
        lane.stop();
        Duration delay = lane.topic.retry().delayAfter(attempt);
        LOG.warn(
                "Message {} of {}/{} failed at attempt {}; its partition waits {}: {}",
                message.id(),
                message.topic(),
                message.partition(),
                attempt,
                delay,
                reason);
        listeners.failed(message, cause, reason, delay, start);
        try {
            if (storeError == null) {
                batch.markFailed(message, reason, delay);
            }
        } catch (Throwable e) {
            storeFailed(Step.MARK, e, start);
        }
    }

    /**
     * The partition goes on without the message, but only from the next batch: if this one is not closed well, the message
     * comes again, and then nothing may have overtaken it.
     */
    private void giveUp(
            MessageBatch batch, Lane<?> lane, PersistedMessage message, Throwable cause, String reason, long start) {
        deadLettered++;
        lane.stop();
        LOG.error(
                "Message {} of {}/{} is given up at attempt {} and becomes a dead letter: {}",
                message.id(),
                message.topic(),
                message.partition(),
                message.attempts() + 1,
                reason);
        listeners.deadLettered(message, cause, reason, start);
        try {
            if (storeError == null) {
                batch.deadLetter(message, reason);
            }
        } catch (Throwable e) {
            storeFailed(Step.MARK, e, start);
        }
    }

    private static Throwable unwrapped(Throwable failure) {
        Throwable cause = failure.getCause();
        boolean wrapper = failure instanceof CompletionException || failure instanceof ExecutionException;
        return wrapper && cause != null ? cause : failure;
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
